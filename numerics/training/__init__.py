"""Training with torch: random features, two-layer networks and any module, with both kinds of derivative.

torch is imported where something trains, and nowhere else. A network of one's own trains on the residuals of a
problem like any other (a module maps points ``[n, d]`` to values ``[n]`` or ``[n, 1]``):

>>> import torch
>>> from numerics.networks.perceptrons import ModuleResidual, flatten
>>> from numerics.problem.problem import Boundary, Problem
>>> from numerics.training import from_problem
>>> from numerics.training.ensembles import train_ensemble
>>> from numerics.training.loop import LBFGS
>>> net = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
>>> problem = Problem(operator_text="u_xx + x*u", interior=(16,), boundary=(Boundary(),))
>>> model = ModuleResidual(net, from_problem.system(problem, "fd"))
>>> run = train_ensemble(model, flatten(net)[None], LBFGS(), 10, device="cpu")  # one row of parameters for each start
>>> bool(run.loss[-1] < run.loss[0])
True
"""
