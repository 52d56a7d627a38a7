"""Intervals with dyadic ends ``[low 2^e, high 2^e]`` in Python's integers, rounded outward to the bits in force.

Elementary functions are evaluated at the ends (or at the middle, with a Lipschitz bound) in fixed point: every sum is
kept as a lower and an upper integer, and every cut series carries a bound of its tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache


class UndecidedError(Exception):
    """Something is not proven, or would cost too much; one line."""


class _State:
    bits = 64
    work = 0.0


def spend(units: float) -> None:
    """Counts work, about microseconds; refuses when what is allowed is used up."""
    _State.work -= units
    if _State.work < 0:
        raise UndecidedError("budget: more work than a file of this size may ask for")


def allow(units: float) -> None:
    """Sets what may be spent."""
    _State.work = units


@contextmanager
def working(bits: int) -> Iterator[None]:
    """Results are rounded outward to so many bits inside."""
    before = _State.bits
    _State.bits = bits
    try:
        yield
    finally:
        _State.bits = before


def up(numerator: int, denominator: int) -> int:
    """The quotient rounded up."""
    return -(-numerator // denominator)


def shift_up(value: int, places: int) -> int:
    """``value / 2^places`` rounded up."""
    return -((-value) >> places)


class Interval:
    """``[low 2^e, high 2^e]``."""

    __slots__ = ("e", "high", "low")

    def __init__(self, low: int, high: int, e: int = 0) -> None:
        size = max(low.bit_length(), high.bit_length())
        excess = size - _State.bits
        if excess > 0:
            low, high, e = low >> excess, shift_up(high, excess), e + excess
        self.low, self.high, self.e = low, high, e

    @staticmethod
    def of(value: Fraction | int) -> Interval:
        """Around a rational."""
        exact = Fraction(value)
        k = max(0, _State.bits + exact.denominator.bit_length() - abs(exact.numerator).bit_length() + 2)
        if exact.denominator == 1 and abs(exact.numerator).bit_length() <= _State.bits:
            k = 0
        top = exact.numerator << k
        spend(1 + (top.bit_length() / 1000) ** 1.6)
        return Interval(top // exact.denominator, up(top, exact.denominator), -k)

    @staticmethod
    def point(mantissa: int, e: int) -> Interval:
        """A dyadic number, exactly, however long it is."""
        made = Interval(0, 0)
        made.low = made.high = mantissa
        made.e = e
        return made

    def top(self) -> int:
        """No end exceeds ``2^top`` in absolute value; only asked of intervals other than [0, 0]."""
        return self.e + max(self.low.bit_length(), self.high.bit_length())

    def is_zero(self) -> bool:
        """Whether it is [0, 0]."""
        return self.low == 0 == self.high

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low, self.e)

    def __add__(self, other: Interval) -> Interval:
        if self.is_zero() or other.is_zero():
            one = other if self.is_zero() else self
            return Interval(one.low, one.high, one.e)
        spend(0.5 + _State.bits / 20_000)
        e = min(self.e, other.e)
        least = max(self.top(), other.top()) - _State.bits - 32
        e = max(e, least)
        a, b = self._at(e), other._at(e)
        return Interval(a[0] + b[0], a[1] + b[1], e)

    def _at(self, e: int) -> tuple[int, int]:
        """The ends in units of ``2^e``, rounded outward."""
        if self.e >= e:
            return self.low << (self.e - e), self.high << (self.e - e)
        places = min(e - self.e, max(self.low.bit_length(), self.high.bit_length()) + 2)
        return self.low >> places, shift_up(self.high, places)

    def __sub__(self, other: Interval) -> Interval:
        return self + (-other)

    def __mul__(self, other: Interval) -> Interval:
        a, b, c, d = self.low, self.high, other.low, other.high
        spend(1 + (max(a.bit_length(), c.bit_length(), b.bit_length(), d.bit_length()) / 1000) ** 1.6)
        if a >= 0 and c >= 0:
            low, high = a * c, b * d
        elif a == b and c == d:
            low = high = a * c
        else:
            products = (a * c, a * d, b * c, b * d)
            low, high = min(products), max(products)
        return Interval(low, high, self.e + other.e)

    def inverse(self) -> Interval:
        """``1 / x``, refused where 0 is not excluded."""
        if not (self.low > 0 or self.high < 0):
            raise UndecidedError("expression: a division by zero")
        k = _State.bits + max(self.low.bit_length(), self.high.bit_length()) + 2
        spend(1 + (k / 1000) ** 1.6)
        return Interval((1 << k) // self.high, up(1 << k, self.low), -self.e - k)

    def root(self) -> Interval:
        """The square root of what is not negative."""
        if self.low < 0:
            raise UndecidedError("expression: a root of what may be negative")
        k = 2 * (_State.bits + 2)
        k += (self.e - k) % 2
        spend(2 + (k / 1000) ** 1.6)
        above = self.high << k
        high = math.isqrt(above)
        return Interval(math.isqrt(self.low << k), high + (high * high != above), (self.e - k) // 2)

    def middle(self) -> Interval:
        """About the middle, as an exact number."""
        return Interval.point(self.low + self.high, self.e - 1)

    def size(self) -> Interval:
        """An upper bound of the absolute value, as an exact number."""
        return Interval.point(max(abs(self.low), abs(self.high)), self.e)

    def hull(self, other: Interval) -> Interval:
        """The smallest interval with both, rounded outward."""
        if self.is_zero() and other.is_zero():
            return self
        e = max([x.top() for x in (self, other) if not x.is_zero()]) - _State.bits - 32
        e = max(e, min(self.e, other.e))
        a, b = self._at(e), other._at(e)
        return Interval(min(a[0], b[0]), max(a[1], b[1]), e)

    def below(self, other: Interval) -> bool:
        """Whether the upper end is at most the other's lower end, exactly."""
        return _at_most(self.high, self.e, other.low, other.e)

    def fractions(self) -> tuple[Fraction, Fraction]:
        """The two ends."""
        scale = Fraction(2) ** self.e
        return self.low * scale, self.high * scale


def _at_most(a: int, d: int, b: int, e: int) -> bool:
    """``a 2^d <= b 2^e``, exactly and without shifting far."""
    if a == 0 or b == 0 or (a > 0) != (b > 0):
        return a <= b
    tops = d + a.bit_length(), e + b.bit_length()
    if tops[0] != tops[1]:
        return (tops[0] < tops[1]) == (a > 0)
    least = min(d, e)
    return (a << (d - least)) <= (b << (e - least))


ONE, TWO = Interval.point(1, 0), Interval.point(1, 1)
ZERO = Interval.point(0, 0)

# ---- constants in fixed point: (lower, upper) in units of 2^-w


def _inverse_series(n: int, w: int, sign: int) -> tuple[int, int]:
    """``sum_j sign^j / ((2j+1) n^(2j+1))``: atan(1/n) for -1, atanh(1/n) for 1."""
    low = high = 0
    j, power = 0, n
    while True:
        term = (1 << w) // (power * (2 * j + 1))
        positive = sign > 0 or j % 2 == 0
        low, high = (low + term, high + term + 1) if positive else (low - term - 1, high - term)
        if term == 0:
            return low - 2, high + 2  # the rest is below two units: its terms fall by n^2 at least
        j, power = j + 1, power * n * n


@lru_cache(maxsize=32)
def _log2_at(w: int) -> tuple[int, int]:
    low, high = _inverse_series(3, w, 1)
    return 2 * low, 2 * high


@lru_cache(maxsize=32)
def _pi_at(w: int) -> tuple[int, int]:
    a, b = _inverse_series(5, w, -1), _inverse_series(239, w, -1)
    return 16 * a[0] - 4 * b[1], 16 * a[1] - 4 * b[0]


def _stored(source: Callable[[int], tuple[int, int]], w: int) -> tuple[int, int]:
    """A constant to w bits, computed for the next multiple of 256."""
    full = -(-w // 256) * 256
    spend(1 + (w / 1000) ** 1.6)
    low, high = source(full)
    return low >> (full - w), shift_up(high, full - w)


def pi() -> Interval:
    """Pi."""
    w = _State.bits + 8
    return Interval(*_stored(_pi_at, w), -w)


# ---- functions at a dyadic point m 2^e

Point = tuple[int, int]
FARTHEST = 32
"""Functions take arguments up to ``2^32``."""


def _fixed(point: Point, w: int) -> tuple[int, int]:
    """A point in units of 2^-w."""
    m, e = point
    if m and e + m.bit_length() > FARTHEST:
        raise UndecidedError("expression: an argument beyond 2^32")
    if e + w >= 0:
        return (m << (e + w),) * 2
    places = min(-e - w, m.bit_length() + 2)
    return m >> places, shift_up(m, places)


def _exp(point: Point) -> Interval:
    m, e = point
    if m == 0:
        return ONE
    if m < 0 and e + m.bit_length() > FARTHEST:
        return Interval(0, 1, -(1 << FARTHEST))  # e^-x < 2^-x; x is at least 2^32
    halvings = math.isqrt(_State.bits // 2) + 2
    w = _State.bits + 2 * halvings + 24 + max(0, e + m.bit_length())
    low, high = _fixed(point, w)
    ln = _stored(_log2_at, w)
    k = low // ln[0] if low >= 0 else low // ln[1]
    ends = [low - k * b for b in ln], [high - k * b for b in ln]
    a, b = min(ends[0]), max(ends[1])
    if a < 0:
        k -= 1
        a, b = a + ln[0], b + ln[1]
    assert 0 <= a <= b < (2 << w)
    a, b = a >> halvings, shift_up(b, halvings)
    lower = upper = s = t = 1 << w
    j = 1
    while t > 1:
        s, t = (s * a >> w) // j, up(shift_up(t * b, w), j)
        lower, upper, j = lower + s, upper + t, j + 1
    spend((j + halvings) * (1 + (w / 1000) ** 1.6))
    upper += t + 1  # the tail: the argument is below 1/2, so at most the last term again
    for _ in range(halvings):
        lower, upper = lower * lower >> w, shift_up(upper * upper, w)
    return Interval(lower, upper, k - w)


def _log(point: Point) -> Interval:
    m, e = point
    if m <= 0:
        raise UndecidedError("expression: a logarithm of what is not proven positive")
    k = m.bit_length() - 1
    if m == 1 << k and e + k == 0:
        return ZERO
    y = (m, -k)  # in [1, 2)
    with working(_State.bits + 16):
        guess = Interval.of(Fraction(math.log(m / (1 << k) if k < 900 else (m >> (k - 60)) / 2**60)))
        bits = [_State.bits]
        while bits[-1] > 100:
            bits.append(bits[-1] // 2 + 24)  # a step of Newton's doubles the digits that are right
        while True:
            with working(bits.pop() if bits else _State.bits):
                middle = guess.middle()
                value = exp(-middle) * Interval.point(*y) - ONE
                step = value.size()
                guess = middle + (value - value * value).hull(value) if step.is_zero() or step.top() < -2 else middle
            # d - d^2 <= log(1 + d) <= d for |d| <= 1/2
            if step.is_zero() or (not bits and 2 * step.top() < -_State.bits - 2):
                break
            if step.top() >= -2:
                raise UndecidedError("logarithm: no start")
        w = _State.bits + 8
        twos = Interval(*_stored(_log2_at, w), -w) * Interval.of(e + k)
        return guess + twos


def _sine_cosine(point: Point) -> tuple[Interval, Interval]:
    m, e = point
    if m == 0:
        return ZERO, ONE
    w = _State.bits + 24 + max(0, e + m.bit_length())
    low, high = _fixed(point, w)
    p = _stored(_pi_at, w)
    k = (2 * low + p[0] // 2) // p[0]  # about the nearest multiple of pi/2
    # r = x - k pi/2, doubled so that the halves of pi stay integers
    ends = [2 * low - k * q for q in p] + [2 * high - k * q for q in p]
    r, spread = (min(ends) + max(ends)) // 4, (max(ends) - min(ends)) // 2 + 2
    size = abs(r)
    assert size < (1 << w)
    sums = [[0, 0], [0, 0]]  # sine, cosine: lower and upper
    s = t = 1 << w
    j = 0
    while t > 1 or j < 2:
        found = sums[1 - j % 2]
        if j % 4 < 2:
            found[0], found[1] = found[0] + s, found[1] + t
        else:
            found[0], found[1] = found[0] - t, found[1] - s
        j += 1
        s, t = (s * size >> w) // j, up(shift_up(t * size, w), j)
    spend(j * (1 + (w / 1000) ** 1.6))
    slack = 2 * t + 2 + spread  # the terms fall and change signs: the rest is at most the next; and |r'| <= 1
    one = 1 << w
    sine = Interval(max(sums[0][0] - slack, -one), min(sums[0][1] + slack, one), -w)
    cosine = Interval(max(sums[1][0] - slack, -one), min(sums[1][1] + slack, one), -w)
    sine = -sine if r < 0 else sine
    match k % 4:
        case 0:
            return sine, cosine
        case 1:
            return cosine, -sine
        case 2:
            return -sine, -cosine
        case _:
            return -cosine, sine


def _atan(point: Point) -> Interval:
    m, e = point
    if m < 0:
        return -_atan((-m, e))
    with working(_State.bits + 32):
        x = Interval.point(m, e)
        if m and not x.below(ONE):
            half = pi() * Interval.point(1, -1)
            return half - _narrow_atan(x.inverse())
        return _narrow_atan(x)


def _narrow_atan(x: Interval) -> Interval:
    """Of an interval within [0, 1]: atan x = 2 atan(x / (1 + sqrt(1 + x^2))), then the series."""
    halvings = 8
    for _ in range(halvings):
        x = x * (ONE + (ONE + x * x).root()).inverse()
    if x.is_zero():
        return x
    square, power, total, j = x * x, x, ZERO, 0
    while True:
        term = power * Interval.of(Fraction((-1) ** j, 2 * j + 1))
        if j and term.top() < total.top() - _State.bits - 4:
            break
        total, power, j = total + term, power * square, j + 1
    bound = term.size()
    total = total + bound.hull(-bound)  # the terms fall and change signs
    return total * Interval.point(1, halvings)


def _erf(point: Point) -> Interval:
    m, e = point
    if m <= 0:
        return -_erf((-m, e)) if m else ZERO
    bits = _State.bits + 16
    if e + m.bit_length() > FARTHEST:
        raise UndecidedError("expression: an argument beyond 2^32")
    x = Interval.point(m, e)
    with working(bits):
        square = x * x
    if Interval.of(bits).below(square):  # 1 - erf(x) <= exp(-x^2) <= 2^-bits for x >= 1
        return Interval((1 << bits) - 1, 1 << bits, -bits)
    large = math.ceil(square.fractions()[1])
    w = bits + 2 * large + 16
    a, b = _fixed(point, w)
    p, q = a * a >> (w - 1), shift_up(b * b, w - 1)  # 2 x^2
    s, t, lower, upper, n = a, b, a, b, 0
    while t > 1 or 2 * q > (2 * n + 3) << w:
        s, t = (s * p >> w) // (2 * n + 3), up(shift_up(t * q, w), 2 * n + 3)
        lower, upper, n = lower + s, upper + t, n + 1
    spend(n * (1 + (w / 1000) ** 1.6))
    upper += t + 1  # ratios are at most 1/2 from here on
    with working(bits):
        factor = exp(-square) * TWO * pi().root().inverse()
        return factor * Interval(lower, upper, -w)


def _asinh(point: Point) -> Interval:
    m, e = point
    if m < 0:
        return -_asinh((-m, e))
    x = Interval.point(m, e)
    with working(_State.bits + 16):
        return log(x + (x * x + ONE).root())


# ---- functions of intervals


def _monotone(at: Callable[[Point], Interval]) -> Callable[[Interval], Interval]:
    """A rising function, from its values at the ends."""

    def function(x: Interval) -> Interval:
        low = at((x.low, x.e))
        return low if x.low == x.high else low.hull(at((x.high, x.e)))

    return function


exp = _monotone(_exp)
log = _monotone(_log)
atan = _monotone(_atan)
erf = _monotone(_erf)
asinh = _monotone(_asinh)


def sine_cosine(x: Interval) -> tuple[Interval, Interval]:
    """Both, from the middle: neither moves by more than the distance."""
    centre = (x.low + x.high, x.e - 1)
    radius = Interval.point(x.high - x.low, x.e - 1)
    reach = radius.hull(-radius)
    sine, cosine = _sine_cosine(centre)
    return (sine, cosine) if x.low == x.high else (sine + reach, cosine + reach)


def bits_in_force() -> int:
    """The bits that results are rounded to."""
    return _State.bits
