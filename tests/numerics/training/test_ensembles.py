"""Ensembles: every member as if alone, bit for bit, whatever the chunk and whether or not it was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from numerics.arithmetic.devices import resolve_device, resolve_dtype, tensor_float_32, threads
from numerics.networks import activations as jets
from numerics.networks.networks import Perceptron, Rows, System, Term, TwoLayer, initialise
from numerics.networks.perceptrons import ModuleResidual, flatten
from numerics.networks.two_layer import TwoLayerResidual
from numerics.training import ensembles
from numerics.training.ensembles import EnsembleRun, Progress, train_ensemble
from numerics.training.loop import LBFGS, Adam, GradientDescent, Optimiser, finite, minimise, schedule
from theory.base.errors import InputError

F64 = torch.float64
METHODS: dict[str, Optimiser] = {"gd": GradientDescent(1e-4), "adam": Adam(1e-2), "lbfgs": LBFGS()}


def poisson(points: int = 15) -> System:
    x = torch.linspace(-1, 1, points, dtype=F64)[:, None]
    f = -(torch.pi**2) * torch.sin(torch.pi * x[:, 0])
    zero = torch.zeros(2, dtype=F64)
    return System((Rows(x[1:-1], f[1:-1], (Term((2,)),)), Rows(x[[0, -1]], zero, (Term((0,)),), 2.0)))


NETWORK = TwoLayer(21, 1, jets.activation("tanh"))
MODEL = TwoLayerResidual(NETWORK, poisson())
START = initialise(NETWORK, range(9))


def same(a: EnsembleRun, b: EnsembleRun, members: list[int]) -> None:
    assert a.iterations == b.iterations
    assert torch.equal(a.loss[:, members], b.loss)
    assert torch.equal(a.parameters[members], b.parameters)
    assert torch.equal(a.reached[:, members], b.reached)
    for t, value in b.snapshots.items():
        assert torch.equal(a.snapshots[t][members], value)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_depends_on_its_seed_alone(name: str, dtype: str) -> None:
    def train(members: list[int], chunk: int) -> EnsembleRun:
        return train_ensemble(
            MODEL, START[members], METHODS[name], 12, 4, dtype=dtype, device="cpu", chunk=chunk,
            tolerances=(0.99, 0.5), snapshots=(7,),
        )  # fmt: skip

    whole = train(list(range(9)), 64)
    assert bool((whole.loss[-1] < whole.loss[0]).all())
    for members, chunk in (([3], 64), ([8, 2], 64), (list(range(9)), 4), (list(range(9)), 1)):
        same(whole, train(members, chunk), members)


@pytest.mark.parametrize("name", METHODS)
def test_a_resumed_run_is_the_uninterrupted_one(name: str, tmp_path: Path) -> None:
    """Stopped in the middle of the second chunk, and taken up again from the file."""
    arguments = {"seeds": range(9), "tolerances": (0.9,), "snapshots": (7, 50), "chunk": 4, "device": "cpu"}
    whole = train_ensemble(MODEL, START, METHODS[name], 60, 10, **arguments)  # type: ignore[arg-type]
    file = tmp_path / "run.pt"
    calls = 0

    def stop(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_ensemble(
            MODEL, START, METHODS[name], 60, 10, checkpoint=file, checkpoint_seconds=0.0, progress=stop,
            **arguments,  # type: ignore[arg-type]
        )  # fmt: skip
    assert file.exists()
    seen = []
    resumed = train_ensemble(
        MODEL, START, METHODS[name], 60, 10, checkpoint=file, resume=True,
        progress=lambda done, total: seen.append(done), **arguments,  # type: ignore[arg-type]
    )  # fmt: skip
    same(whole, resumed, list(range(9)))
    assert min(seen) > 4 * 60  # the first chunk was not run again, nor the start of the second
    again = train_ensemble(
        MODEL, START, METHODS[name], 60, 10, checkpoint=file, resume=True,
        progress=lambda done, total: pytest.fail("finished work was repeated"), **arguments,  # type: ignore[arg-type]
    )  # fmt: skip
    same(whole, again, list(range(9)))


def noting(seen: list[int]) -> Progress:
    return lambda done, total: seen.append(done)


@pytest.fixture
def wide() -> tuple[TwoLayerResidual, torch.Tensor]:
    """Networks large enough to be worth a thread."""
    network = TwoLayer(256, 1, jets.activation("tanh"))
    return TwoLayerResidual(network, poisson(62)), initialise(network, range(19))


@pytest.mark.parametrize("name", METHODS)
def test_threads_do_not_change_a_bit(name: str, wide: tuple[TwoLayerResidual, torch.Tensor]) -> None:
    arguments = {"seeds": range(19), "tolerances": (0.9,), "snapshots": (2,), "device": "cpu"}
    with threads(1):
        alone = train_ensemble(*wide, METHODS[name], 4, 2, **arguments)  # type: ignore[arg-type]
    for count in (2, 3):
        with threads(count):
            assert ensembles._shares(wide[0], 19, 64, torch.device("cpu"))[0] == count
            seen: list[int] = []
            run = train_ensemble(
                *wide, METHODS[name], 4, 2, progress=noting(seen),
                **arguments,  # type: ignore[arg-type]
            )  # fmt: skip
            assert torch.get_num_threads() == count
        same(alone, run, list(range(19)))
        assert seen == sorted(seen)
        assert seen[-1] == 19 * 4
    with threads(2):
        assert ensembles._shares(MODEL, 19, 64, torch.device("cpu")) == (1, 64)  # too small
        assert ensembles._shares(wide[0], 19, 5, torch.device("cpu")) == (2, 5)
        assert ensembles._shares(wide[0], 8, 64, torch.device("cpu")) == (1, 64)


def test_a_run_stopped_under_threads_resumes_under_another_number(
    wide: tuple[TwoLayerResidual, torch.Tensor], tmp_path: Path
) -> None:
    with threads(1):
        whole = train_ensemble(*wide, Adam(1e-2), 8, 1, chunk=5, device="cpu")
    calls = 0

    def stop(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 14:
            raise KeyboardInterrupt

    file = tmp_path / "run.pt"
    with threads(2), pytest.raises(KeyboardInterrupt):
        train_ensemble(
            *wide, Adam(1e-2), 8, 1, chunk=5, device="cpu", checkpoint=file, checkpoint_seconds=0.0, progress=stop
        )
    assert torch.load(file)["open"]
    for count in (1, 3):
        copy = tmp_path / f"{count}.pt"
        copy.write_bytes(file.read_bytes())
        seen: list[int] = []
        with threads(count):
            resumed = train_ensemble(
                *wide, Adam(1e-2), 8, 1, device="cpu", checkpoint=copy, resume=True,
                progress=noting(seen),
            )  # fmt: skip
        same(whole, resumed, list(range(19)))
        assert len(seen) < 4 * 9  # what was done is not done again


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.pt"
    train_ensemble(MODEL, START, Adam(1e-2), 5, checkpoint=file, device="cpu")
    with pytest.raises(InputError, match="another run"):
        train_ensemble(MODEL, START, Adam(2e-2), 5, checkpoint=file, resume=True, device="cpu")
    with pytest.raises(InputError, match="another run"):
        train_ensemble(MODEL, START + 1, Adam(1e-2), 5, checkpoint=file, resume=True, device="cpu")
    file.write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match="cannot be read"):
        train_ensemble(MODEL, START, Adam(1e-2), 5, checkpoint=file, resume=True, device="cpu")
    with pytest.raises(InputError, match="did not make the file"):
        train_ensemble(MODEL, START, Adam(1e-2), 5, checkpoint=file, device="cpu")
    assert file.read_bytes() == b"no checkpoint"
    file.unlink()
    for rate in (1e-2, 2e-2):  # without resume, that of another run is replaced
        train_ensemble(MODEL, START, Adam(rate), 5, checkpoint=file, device="cpu")


def test_progress_counts_network_iterations() -> None:
    seen: list[tuple[int, int]] = []
    train_ensemble(MODEL, START, Adam(1e-2), 20, 10, chunk=4, device="cpu", progress=lambda *at: seen.append(at))
    assert seen[-1] == (180, 180)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_first_crossings_are_exact() -> None:
    """The iteration found inside the loop against the curve recorded at every iteration."""
    run = train_ensemble(MODEL, START, Adam(2e-2), 300, 1, tolerances=(0.5, 0.1, 1e-9, 1.0), device="cpu")
    for k, tolerance in enumerate(run.tolerances):
        for member in range(9):
            curve = run.loss[:, member]
            met = torch.nonzero(curve <= tolerance * curve[0])
            expected = int(met[0]) if len(met) else -1
            assert int(run.reached[k, member]) == expected
    assert bool((run.reached[0] > 0).all())
    assert bool((run.reached[2] == -1).all())
    assert bool((run.reached[3] == 0).all())


def test_divergence_is_told_member_by_member() -> None:
    steps = torch.full((9,), 1e-4, dtype=F64)
    steps[4] = 10.0
    run = train_ensemble(MODEL, START, GradientDescent(steps), 200, 50, seeds=range(20, 29), device="cpu")
    assert [k for k in range(9) if run.curve(k).status == "diverged"] == [4]
    bad, good = run.curve(4), run.curve(5)
    assert bad.status == "diverged"
    assert bad.loss[-1] is None
    assert bad.loss[0] is not None
    assert bad.step == 10.0
    assert good.status == "finished"
    alone = train_ensemble(MODEL, START[[5]], GradientDescent(1e-4), 200, 50, device="cpu")
    assert torch.equal(alone.loss[:, 0], run.loss[:, 5])


def test_modules_train_as_the_fast_path_does() -> None:
    """The two-layer network as a module, by both generic modes, follows the hand-written path."""
    fast = train_ensemble(MODEL, START[:2], Adam(1e-2), 10, 5, device="cpu")
    module = NETWORK.module(START[0])
    # The module's own order is a, b, w, which is that of the flat vectors.
    assert torch.equal(flatten(module), START[0])
    for mode in ("forward", "reverse"):
        model = ModuleResidual(module, poisson(), mode)
        slow = train_ensemble(model, START[:2], Adam(1e-2), 10, 5, device="cpu")
        torch.testing.assert_close(slow.loss, fast.loss, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(slow.parameters, fast.parameters, rtol=1e-9, atol=1e-10)
    assert torch.equal(flatten(module), START[0])  # the template is left alone


class Users(torch.nn.Module):
    """A network of a user's own, with a column as output."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(1, 6), torch.nn.SiLU(), torch.nn.Linear(6, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = self.net(x)
        return value


def test_a_users_module_is_trained() -> None:
    torch.manual_seed(0)
    model = ModuleResidual(Users().double(), poisson())
    start = flatten(model.module)[None]
    run = train_ensemble(model, start, LBFGS(), 30, device="cpu")
    assert run.loss.shape[1] == 1
    assert float(run.loss[-1, 0]) < 0.5 * float(run.loss[0, 0])
    assert run.parameters.shape == start.shape


def test_modules_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="no parameters"):
        ModuleResidual(torch.nn.Tanh(), poisson())
    with pytest.raises(InputError, match="mode"):
        ModuleResidual(Users(), poisson(), "sideways")  # type: ignore[arg-type]
    wide = ModuleResidual(torch.nn.Linear(1, 3).double(), poisson())
    with pytest.raises(InputError, match="returns"):
        wide.residual(flatten(wide.module)[None])
    with pytest.raises(InputError, match="parameters"):
        ModuleResidual(Users().double(), poisson(), "reverse").residual(torch.zeros(1, 3, dtype=F64))
    with pytest.raises(InputError, match="depth"):
        Perceptron(1, 4, 1)


def test_bad_input_is_refused() -> None:
    for bad in (
        {"chunk": 0},
        {"seeds": [1]},
        {"dtype": "float16"},
        {"device": "tpu"},
        {"snapshots": (50,)},
        {"tolerances": (0.0,)},
    ):
        with pytest.raises(InputError):
            train_ensemble(MODEL, START, Adam(), 5, **bad)
    with pytest.raises(InputError, match="start"):
        train_ensemble(MODEL, START[0], Adam(), 5)
    with pytest.raises(InputError, match="step"):
        train_ensemble(MODEL, START, GradientDescent(torch.ones(3)), 5)
    with pytest.raises(InputError, match="threads"), threads(0):
        pass


def test_settings_of_the_process_are_restored() -> None:
    before = (torch.get_num_threads(), torch.backends.cuda.matmul.allow_tf32)
    with threads(2), tensor_float_32(True):
        assert torch.get_num_threads() == 2
        assert torch.backends.cuda.matmul.allow_tf32
    with threads(None):
        pass
    assert (torch.get_num_threads(), torch.backends.cuda.matmul.allow_tf32) == before
    assert resolve_dtype("float32") == torch.float32
    assert resolve_device("cpu").type == "cpu"


def test_schedules() -> None:
    for iterations in (0, 1, 7, 1000, 10**6):
        times = schedule(iterations)
        assert times[0] == 0
        assert times[-1] == iterations
        assert list(times) == sorted(set(times))
        assert len(times) <= 202
    assert finite([1.0, float("nan"), float("-inf")]) == (1.0, None, None)


def test_results_are_ordinary_tensors() -> None:
    """Not those of inference mode: a caller may differentiate through them."""
    result = minimise(MODEL, START, Adam(1e-2), 3)
    parameters = result.parameters.requires_grad_(True)
    (parameters**2).sum().backward()  # type: ignore[no-untyped-call]
    assert parameters.grad is not None


@pytest.mark.gpu
@pytest.mark.parametrize("name", METHODS)
def test_the_gpu_follows_the_cpu(name: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    cpu = train_ensemble(MODEL, START, METHODS[name], 20, 10, device="cpu")
    gpu = train_ensemble(MODEL, START, METHODS[name], 20, 10, device="cuda")
    assert gpu.device == "cuda"
    torch.testing.assert_close(gpu.loss, cpu.loss, rtol=1e-8, atol=1e-10)
