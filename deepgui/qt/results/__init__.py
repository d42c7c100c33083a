"""What has been learnt, as the objective shows it: samples, reconstructions, texts, masks, graphs."""
