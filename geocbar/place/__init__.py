"""Where on Earth is a pixel? Arrays in, arrays out."""
