"""The accuracy bench: plants made-up credentials and look-alikes, runs scanners, scores them."""
