"""A trained model as a codec: from images to a file, and from a file to images."""
