"""Quantisation and shared randomness: what turns an encoder and a decoder into a code of R bits."""
