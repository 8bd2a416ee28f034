"""What value does a colour stand for? Arrays in, arrays out."""
