"""Source text of the vectorised special functions that generated code may need, for numpy and torch alike.

The names ``exp, log1p, sinh, tanh, sqrt, where, atan, absolute, erf, erfcx, ndtr, full_like, isfinite, …`` are bound
by the header of the generated module to the functions of the library.  Every helper works on arrays of one shape.
"""

from __future__ import annotations

import inspect

from theory.kernels.forms.gaussian_moments import tilted_mean

HELPERS: dict[str, tuple[str, tuple[str, ...]]] = {}
"""Helper name to (source, names of other helpers it needs)."""


def _helper(name: str, source: str, *needs: str) -> None:
    HELPERS[name] = (source.strip("\n") + "\n", needs)


_helper(
    "_log_cosh",
    '''
def _log_cosh(t):
    """ln cosh t without overflow."""
    size = absolute(t)
    return size + log1p(exp(-2.0 * size)) - 0.6931471805599453
''',
)

_helper(
    "_moment_series",
    '''
def _moment_series(k, t, sign):
    """sum_j sign^j t^(2j+r) / ((2j+r)! (k+2j+r+1)), r = k mod 2, for moderate t."""
    r = k % 2
    square, total, coefficients = t * t, 0.0, []
    factor = 1.0
    for j in range(22):
        if j:
            factor *= sign / ((2 * j + r) * (2 * j + r - 1))
        coefficients.append(factor / (k + 2 * j + r + 1))
    for c in reversed(coefficients):
        total = total * square + c
    return total * t if r else total
''',
)

_helper(
    "_sinc_moment",
    '''
def _sinc_moment(k, t):
    """int_0^1 s^k cos(ts) ds (k even) or sin(ts) (k odd): series for small t, by parts beyond."""
    limit = max(2.0, 0.5 * k)
    small = absolute(t) < limit
    far = where(small, full_like(t, limit), t)
    s, c = sin(far), cos(far)
    value, other = s / far, (1.0 - c) / far
    for j in range(1, k + 1):
        value, other = (s - j * other) / far, (j * value - c) / far
    near = where(small, t, full_like(t, 0.0))
    return where(small, _moment_series(k, near, -1.0), other if k % 2 else value)
''',
    "_moment_series",
)

_helper(
    "_sinh_moment",
    '''
def _sinh_moment(k, t):
    """1/2 int_{-1}^1 s^k exp(ts) ds: series for small t, by parts beyond."""
    limit = max(2.0, 0.5 * k)
    small = absolute(t) < limit
    far = where(small, full_like(t, limit), t)
    s, c = sinh(far), cosh(far)
    value, other = s / far, (c - 1.0) / far
    for j in range(1, k + 1):
        value, other = (s - j * other) / far, (c - j * value) / far
    near = where(small, t, full_like(t, 0.0))
    return where(small, _moment_series(k, near, 1.0), other if k % 2 else value)
''',
    "_moment_series",
)

_helper(
    "_legendre",
    '''
def _legendre(count, low, high):
    """Gauss-Legendre nodes and weights on [low, high] as floats."""
    import numpy

    nodes, weights = numpy.polynomial.legendre.leggauss(count)
    half, middle = 0.5 * (high - low), 0.5 * (high + low)
    return [(middle + half * float(s), half * float(c)) for s, c in zip(nodes, weights)]
''',
)

_helper(
    "_tanh_mean",
    '''
def _polynomial(coefficients, t):
    total = 0.0
    for c in reversed(coefficients):
        total = total * t + c
    return total


def _tanh_power_mean(k, u, low, high):
    if k == 0:
        return 1.0
    if k == 1:
        return (_log_cosh(u + high) - _log_cosh(u + low)) / (high - low)
    edge = tanh(u + high) ** (k - 1) - tanh(u + low) ** (k - 1)
    return _tanh_power_mean(k - 2, u, low, high) - edge / ((k - 1) * (high - low))


def _tanh_mean(i, j, u, v, low, high, first, second, left, right):
    """The mean of tanh^(i)(u+s) tanh^(j)(v+s) over s in [low, high].

    ``first`` and ``second`` are the derivatives as polynomials in tanh; ``left`` and ``right`` the addition theorem's
    tables {power of tanh: {power of coth: coefficient}}.
    """
    delta = u - v
    if i == 0 and j == 0:
        # ln cosh(u+s) - ln cosh(v+s) = ln(cosh d + sinh d tanh(v+s)): nothing cancels for small d
        moderate = where(absolute(delta) < 0.5, delta, full_like(delta, 0.25))
        half = sinh(0.5 * moderate)
        s = sinh(moderate)
        close = log1p(2.0 * half * half + s * tanh(v + high)) - log1p(2.0 * half * half + s * tanh(v + low))
        apart = _log_cosh(u + high) - _log_cosh(v + high) - _log_cosh(u + low) + _log_cosh(v + low)
        numerator = where(absolute(delta) < 0.5, close, apart)
        zero = delta == 0.0
        safe = where(zero, full_like(delta, 1.0), delta)
        off = numerator / tanh(safe)
        on = tanh(u + high) - tanh(u + low)
        return 1.0 - where(zero, on, off) / (high - low)
    near = absolute(delta) < 1.0
    safe = where(near, full_like(delta, 1.0), delta)
    coth = 1.0 / tanh(safe)
    total = 0.0 * delta
    for table, point in ((left, u), (right, v)):
        for power, coefficients in table.items():
            factor = sum(c * coth**k for k, c in coefficients.items())
            total = total + factor * _tanh_power_mean(power, point, low, high)
    # near the diagonal powers of coth cancel: Gauss-Legendre on panels of width at most 1 there
    panels = max(1, int(-(-(high - low) // 1.0)))
    width = (high - low) / panels
    p, q = u[near], v[near]
    mean = 0.0 * p
    for panel in range(panels):
        for s, c in _legendre(12, low + panel * width, low + (panel + 1) * width):
            mean = mean + c * _polynomial(first, tanh(p + s)) * _polynomial(second, tanh(q + s))
    total[near] = mean / (high - low)
    return total
''',
    "_log_cosh",
    "_legendre",
)

_helper(
    "_uniform_moment",
    '''
def _uniform_moment(n, A, B, C, low, high):
    """The mean of s^n exp(-A s^2/2 + B s + C) over s in [low, high], A >= 0."""
    reach = max(abs(low), abs(high))
    near = A * reach**2 < 20.0
    a = where(near, full_like(A, 20.0 / reach**2), A)
    root, shift = sqrt(0.5 * a), B / a
    peak = exp(C + 0.5 * B * shift) * sqrt(1.5707963267948966 / a)
    moments = [peak * (erf(root * (high - shift)) - erf(root * (low - shift)))]
    at_high = exp(C + (B - 0.5 * a * high) * high)
    at_low = exp(C + (B - 0.5 * a * low) * low)
    for k in range(n):
        edge = high**k * at_high - low**k * at_low
        moments.append((B * moments[k] + (k * moments[k - 1] if k else 0.0) - edge) / a)
    mean = 0.0 * A
    for s, c in _legendre(48, low, high):
        mean = mean + c * s**n * exp(C + (B - 0.5 * A * s) * s)
    return where(near, mean, moments[n]) / (high - low)
''',
    "_legendre",
)

_helper(
    "_laplace_moment",
    '''
def _laplace_moment(n, A, B, C, scale):
    """The mean of s^n exp(-A s^2/2 + B s + C) under the centred Laplace law."""
    import math

    total = 0.0 * A
    for sign in (1.0, -1.0):
        b = sign * B - 1.0 / scale
        if n == 0:
            flat = A == 0.0
            a = where(flat, full_like(A, 1.0), A)
            value = sqrt(1.5707963267948966 / a) * erfcx(-b / sqrt(2.0 * a))
            total = total + where(flat, full_like(A, scale), value)
            continue
        value = 0.0 * A
        for k in range(-40, 57):
            t = k / 12.0
            s = scale * math.exp(t - math.exp(-t))
            weight = s * (1.0 + math.exp(-t)) / 12.0
            if s / scale < 45.0 and weight > 1e-300:
                value = value + weight * s**n * exp((b - 0.5 * A * s) * s)
        total = total + sign**n * value
    return exp(C) * total / (2.0 * scale)
''',
)

_helper(
    "_cauchy_moment",
    '''
def _cauchy_moment(n, A, C, scale):
    """The mean of s^n exp(-A s^2/2 + C) under the centred Cauchy law, n even."""
    moment = erfcx(scale * sqrt(0.5 * A))
    double = 1.0
    for k in range(0, n, 2):
        if k:
            double *= k - 1
        gauss = sqrt(6.283185307179586 / A) * double / A ** (k // 2)
        moment = scale / 3.141592653589793 * gauss - scale**2 * moment
    return exp(C) * moment
''',
)

_helper(
    "_truncated_moment",
    '''
def _truncated_moment(k, code, p, q, r, t, first, second):
    """int w^k f(w) dw over {p w + q > 0, r w + t > 0}; code 0 normal, 1 uniform, 2 Laplace."""
    import math

    shape = p * q * r * t * 0.0
    low, high, empty = shape - math.inf, shape + math.inf, shape != shape
    for slope, offset in ((p, q), (r, t)):
        slope, offset = slope + shape, offset + shape
        flat = slope == 0.0
        edge = -offset / where(flat, full_like(shape, 1.0), slope)
        low = where((slope > 0.0) & (edge > low), edge, low)
        high = where((slope < 0.0) & (edge < high), edge, high)
        empty = empty | (flat & ~(offset > 0.0))
    value = _primitive(k, code, high, first, second) - _primitive(k, code, low, first, second)
    return where(empty | (low >= high), full_like(shape, 0.0), value)


def _primitive(k, code, w, first, second):
    """int_{-inf}^w s^k f(s) ds."""
    import math

    if code == 1:
        end = where(w < first, full_like(w, first), where(w > second, full_like(w, second), w))
        return (end ** (k + 1) - first ** (k + 1)) / ((k + 1) * (second - first))
    u = (w - first) / second
    finite = isfinite(u)
    v = where(finite, u, full_like(u, 0.0))
    if code == 0:
        density = where(finite, exp(-0.5 * v * v) * 0.3989422804014327, full_like(u, 0.0))
        G = [ndtr(u), -density]
        for j in range(2, k + 1):
            G.append(-(v ** (j - 1)) * density + (j - 1) * G[j - 2])
    else:
        size = absolute(v)
        G = []
        for j in range(k + 1):
            tail = sum(math.factorial(j) // math.factorial(i) * size**i for i in range(j + 1))
            tail = where(finite, 0.5 * exp(-size) * tail, full_like(u, 0.0))
            whole = 0.5 * math.factorial(j)
            G.append(where(u <= 0.0, (-1.0) ** j * tail, ((-1.0) ** j + 1.0) * whole - tail))
    return sum(math.comb(k, j) * first ** (k - j) * second**j * G[j] for j in range(k + 1))
''',
)


_helper(
    "_tilted_mean",
    inspect.getsource(tilted_mean)
    .replace("def tilted_mean", "def _tilted_mean")
    .replace("  # type: ignore[no-untyped-def]", "")
    + """

def _real_part(value):
    return value.real


def _same(value):
    return value
""",
)


def closure(names: set[str]) -> list[str]:
    """The sources of the named helpers and of what they need, dependencies first."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        source, needs = HELPERS[name]
        for other in needs:
            visit(other)
        if source not in ordered:
            ordered.append(source)

    for name in sorted(names):
        visit(name)
    return ordered
