"""What the encoder sees in an image, without any prompt."""
