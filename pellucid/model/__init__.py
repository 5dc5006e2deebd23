"""The trained artefact: predict, evaluate, save, load."""
