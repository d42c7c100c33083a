"""The drawn network as a torch.fx graph: shapes, costs, module and source all read it."""
