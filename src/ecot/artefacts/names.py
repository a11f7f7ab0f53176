"""The names of the files in a model's folder."""

MODEL, SETTINGS, HISTORY, RECORD = "model.safetensors", "config.yaml", "history.csv", "run.json"
MODEL_FILES = (MODEL, SETTINGS, HISTORY, RECORD)  # in the order in which they are written
