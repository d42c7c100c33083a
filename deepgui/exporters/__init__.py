"""What was drawn and trained leaves as files that need no DeepGUI: source, weights, ONNX, torch.export."""
