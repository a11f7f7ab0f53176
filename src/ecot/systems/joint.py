"""Joint training of two decoders on the decomposed loss (18).

The paper does not say which dither the two branches see, and the two readings differ in what (18) can reach.

Write Z for the code from which Y_tilde was made, V_x = E||X - E[X|Z]||^2, V_y = E||Y_tilde - E[Y_tilde|Z]||^2 and
delta^2 = E||E[X|Z] - E[Y_tilde|Z]||^2.

`shared`: the branches see this Z. The end-to-end loss is E||X - Y_tilde||^2 = V_x + V_y + delta^2, because X and
Y_tilde are independent given Z: the decoder adds only dither of its own. The least value of (18) over functions
y_1(Z), y_2(Z) is V_x + V_y + delta^2 / 3. Proof: given Z = z, with m_x and m_y the two conditional means, (18) is
V_x(z) + V_y(z) + |m_x - y_1|^2 + |m_y - y_2|^2 + |y_1 - y_2|^2. The last three terms are least where each of the two
gaps and the middle one is a third of m_x - m_y, and then they sum to |m_x - m_y|^2 / 3. So the converged decomposed
loss is at most the end-to-end loss. This is the reading of Theorem 1.

`fresh`: the branches see one new code Z' = Q(f(X) + U_1') of the same image, as a second call of the encoder gives
it. Z' says less about Y_tilde than Z does, so the decomposed loss may exceed the end-to-end loss. It does so in 7 of
8 points of the paper's Tables 1 and 11: this is the reading of the tables.
"""

from typing import Self

from torch import Tensor, nn

from ecot.modes import Dither
from ecot.systems import Networks, Outcome, System
from ecot.systems.decomposition import decomposition, total
from ecot.systems.end_to_end import EndToEnd


class Joint(System):
    """Two decoders behind the encoder of a frozen end-to-end system: g1 for X, g2 for the system's output Y_tilde.

    Shared branches see Z and not the decoder's dither: a branch that saw it, too, could reproduce Y_tilde exactly.
    Fresh branches see Z' - U_2', with one U_2' for each call of a decoder.
    """

    def __init__(self, frozen: EndToEnd, decoder_1: nn.Module, decoder_2: nn.Module, dither: Dither) -> None:
        super().__init__(frozen)
        self.decoder_1 = decoder_1
        self.decoder_2 = decoder_2
        self.dither = dither

    @classmethod
    def build(cls, networks: Networks) -> Self:
        dither = networks.settings.dither
        if dither is None:
            raise ValueError("a joint system needs a reading of the dither")
        return cls(EndToEnd.build(networks), networks.branch_decoder(), networks.branch_decoder(), dither)

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        compressor = self.frozen.compressor
        code = compressor.encode(x, u[:, 0])
        y_tilde = compressor.decode(code, u[:, 1])
        if self.dither == "shared":
            z = compressor.centres(code)
            y1, y2 = self.decoder_1(z), self.decoder_2(z)
        else:
            fresh = compressor.centres(compressor.encode(x, u[:, 2]))
            y1, y2 = self.decoder_1(fresh - u[:, 3]), self.decoder_2(fresh - u[:, 4])
        terms = decomposition(x, y1, y_tilde, y2)
        return Outcome(y2, terms, {"loss_decomposed": total(terms)})
