"""Networks from elsewhere: torch modules and ONNX files become drawings, with their weights."""
