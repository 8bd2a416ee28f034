"""What is drawn on the page? Arrays in, arrays out."""
