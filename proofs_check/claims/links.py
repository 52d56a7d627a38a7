"""What rests on what in the ledger: for a claim, the claims that its proof or its explanation uses, and for what.

A verdict that rests on a claim which is not positive is shown as conditional on it.  Hypotheses that a claim checks on
its instances are no links; nor are claims of which it is a special case.
"""

from __future__ import annotations

LINKS: dict[str, dict[str, str]] = {
    "stencils.leading-terms": {"stencils.truncation": "the expansion in each variable"},
    "stencils.peano": {"stencils.truncation": "polynomials of degree below m are annihilated, and ∫K = 1"},
    "stencils.error-constant": {"stencils.peano": "the second Peano kernel is made of the first"},
    "stencils.no-average-of-high-order": {"stencils.peano": "∫ t²K is D_h of a power"},
    "stencils.average-norms": {"stencils.peano": "K is the kernel of these differences"},
    "stencils.minimal-is-average": {"stencils.peano": "K is the kernel of these differences"},
    "stencils.positivity-criterion": {"stencils.minimal-is-average": "K is a combination of two B-splines"},
    "symbols.sinc-powers": {"symbols.composition": "minimal central differences are compositions of two"},
    "spectra.ostrowski": {"spectra.sine-factorisation": "the diagonal factor whose extremes bound the ratios"},
    "spectra.sine-ordering": {
        "spectra.ostrowski": "σ_k(A D) ≤ ‖D‖ σ_k(A)",
        "symbols.central-bounded": "‖D‖ ≤ 1",
    },
    "spectra.exponential-reversal": {"symbols.sinc-powers": "the symbol at imaginary frequencies: sinhc² ≥ 1"},
    "spectra.interlacing": {"spectra.sine-ordering": "of the interior rows, before boundary rows are added"},
    "entropy.ratio-majorisation": {"entropy.majorisation-order": "ordered ratios majorise; entropy is Schur-concave"},
    "entropy.gap-expansion": {"stencils.truncation": "A_FD = A_AD + h^p B + o(h^p)"},
    "entropy.covariance": {
        "spectra.sine-factorisation": "A_FD = A_AD diag(m(h w))",
        "stencils.truncation": "m(θ) = 1 − θ²/12 + O(θ⁴)",
        "entropy.gap-expansion": "into which both are inserted",
    },
    "entropy.distance-bound": {"spectra.mirsky": "bounds the sum of the changes by the nuclear norm"},
    "entropy.factor-bound": {"spectra.ostrowski": "bounds every ratio of singular values"},
    "solvable.entropy-order": {"spectra.sine-factorisation": "FD eigenvalues are AD's times the symbol squared"},
    "solvable.uniform-circle": {
        "symbols.sinc-powers": "the ratio of eigenvalues is sinc⁴(nh/2)",
        "spectra.sine-factorisation": "FD eigenvalues are AD's times the symbol squared",
        "entropy.ratio-majorisation": "a monotone ratio decides the sign at equal cut-off numbers",
        "entropy.majorisation-order": "r_FD is at least r_AD under relative and energy rules",
        "entropy.rank-monotone": "more values kept, more entropy",
    },
    "solvable.circle-traces": {"symbols.sinc-powers": "FD eigenvalues are (2 sin(nh/2)/h)⁴ p_n/4"},
    "kernels.closed-forms": {
        "laws.characteristic-functions": "kernels of sin and cos are made of them",
        "laws.moments": "kernels of polynomials are made of them",
    },
    "kernels.fd-rate": {
        "stencils.truncation": "the leading truncation operator",
        "kernels.derivatives": "K_AD is the differentiated kernel",
    },
    "kernels.heavy-tails": {"kernels.closed-forms": "the kernel whose differences are taken"},
    "kernels.cauchy-sine": {"kernels.closed-forms": "the kernel whose differences are taken"},
    "kernels.empirical-rate": {"kernels.closed-forms": "the limit"},
    "floor.law": {"floor.entries": "the size of the noise in an entry"},
    "floor.exponent": {"floor.entries": "the size of the noise in an entry"},
    "steps.brute-force": {
        "steps.optimal": "the step of least total error",
        "stencils.truncation": "the truncation error",
        "floor.entries": "the typical round-off",
        "steps.roundoff-size": "its constant, in both arithmetics",
    },
    "steps.slopes": {"stencils.truncation": "h^p over h*", "floor.entries": "h^−m under it"},
    "steps.digits-gained": {"steps.optimal": "the least value scales like ρ^(p/(p+m))", "floor.entries": "ρ ∝ u"},
    "training.loewner-integral": {
        "spectra.sine-factorisation": "A_FD A_FDᵀ = A_AD D² A_ADᵀ",
        "symbols.central-bounded": "D² ≤ I: the kernels on which it is judged are ordered",
    },
    "training.invariance": {"spectra.sine-factorisation": "A_FD = A_AD D"},
    "training.pointwise-loss": {"training.gradient-descent": "the loss at every iteration"},
    "training.average-loss": {"training.gradient-descent": "the loss at every iteration"},
    "networks.residual-noise": {"floor.entries": "the same round-off, of a network in place of one feature"},
    "regimes.small-values": {"floor.law": "the predicted floor and knee"},
    "regimes.entropy-order": {
        "entropy.covariance": "the prediction in exact arithmetic",
        "entropy.gap-expansion": "the leading truncation term",
        "floor.law": "the noise behind the knee",
    },
    "prediction.small-values": {
        "floor.law": "noise behind the knee",
        "floor.entries": "the sizes of its entries",
        "stencils.truncation": "the shift of the values above the knee",
    },
    "prediction.onset": {"prediction.small-values": "the predicted share of draws at each size"},
    "prediction.entropy-sign": {
        "entropy.covariance": "the sign to first order, at one cut-off number",
        "stencils.truncation": "the leading terms of A_FD",
        "floor.entries": "the sizes of the errors that move the cut-off",
    },
    "limit.entropy-gap": {"entropy.covariance": "the gap of a draw, whose limit this is"},
    "limit.many-sines": {"limit.entropy-gap": "the sign in the limit"},
    "S1.leading-agree": {
        "spectra.weyl": "the change is at most ‖A_AD − A_FD‖",
        "stencils.truncation": "which falls like h^p in exact arithmetic",
        "floor.entries": "and grows like u h^−m in floating point",
    },
    "S2.every-small": {
        "spectra.sine-ordering": "decides sin and cos in exact arithmetic, the other way",
        "floor.law": "what lifts the small singular values in floating point",
    },
    "S2.some-small": {"floor.law": "what lifts the small singular values in floating point"},
    "S3.entropy-order": {
        "entropy.covariance": "the sign of the gap to leading order, for sine features",
        "entropy.ratio-majorisation": "a lifted tail over an equal head raises the entropy",
        "floor.law": "the lifted tail in floating point",
    },
    "S4.entropy-ranks-loss": {"training.truncated-svd": "the residual that a cut-off leaves"},
    "S4.paired": {"training.truncated-svd": "the residual that a cut-off leaves"},
    "networks.ntk-frozen-law": {"networks.jets-agree": "residuals and Jacobians of the networks"},
    "networks.kernel-fluctuation": {"networks.jets-agree": "residuals and Jacobians of the networks"},
    "S5.entropy-ranks-speed": {"networks.jets-agree": "what the networks are trained by"},
    "S5.paired": {"networks.jets-agree": "what the networks are trained by"},
    "S6.ad-outperforms": {"networks.jets-agree": "what the networks are trained by"},
    "S7.noise-acts-as-ridge": {"training.ridge-objective": "the least value of the penalised problem"},
    "S7.floor-explains": {"floor.exponent": "the floor is u h^−m"},
    "S7.grows-with-order": {"S7.floor-explains": "our explanation of the growth"},
}
"""``{id: {id on which it rests: for what}}``."""
