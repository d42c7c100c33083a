"""The dock in which a person tries a network: draws, types, opens or sets what it is asked about."""
