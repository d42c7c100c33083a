"""The drawn network as a value: types, edits, topology and lint. Standard library and networkx only."""
