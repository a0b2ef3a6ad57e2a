"""How much a network keeps between its forward and its backward pass."""

import torch
from torch import Tensor, nn


def saved_bytes(network: nn.Module, image: Tensor) -> int:
    """Bytes of all tensors that autograd keeps for the backward pass of one forward pass.

    A storage that several operations keep counts once; parameters, which exist anyway, do not
    count. What the pass back needs for a moment is not in it.

    Args:
        image: shape (N, 1, z, y, x).
    """
    own = {one.untyped_storage().data_ptr() for one in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    # While the result lives, so does all that is kept: no address can be given out twice.
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = network(image)
    total = sum(kept.values())
    del result
    return total
