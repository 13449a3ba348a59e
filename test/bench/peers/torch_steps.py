"""How PyTorch is trained here, small or deep. In: a loss, what it is called with, an optimizer. Out: steps to serve.

Holds: losses are taken from the device only when they are kept."""

import protocol


def steps_of(optimizer, forward, advance, given):
    """`advance` is the optimizer's step, which may have been compiled like `forward`."""

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = forward(*given)
        loss.backward()
        advance()
        return loss.detach()

    def steps(count, keep):
        losses = []
        for _ in range(count):
            loss = step()
            if keep:
                losses.append(loss)
        return protocol.losses(losses)

    return steps
