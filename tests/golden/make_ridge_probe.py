"""Writes ridge_probe.safetensors: linear probes in closed form, in float64, by eigendecomposition (numpy alone).

    python make_ridge_probe.py

Written from the equations: standardise by the support's mean and standard deviation + 1e-5, append a constant 100,
targets of -1 and 1, (Z^T Z + l2)^-1 Z^T Y through Z^T Z = Q diag(e) Q^T, or the same through Z Z^T where there are
fewer rows than columns. Cases: `tall` (rows > columns), `wide` (rows < columns), `constant` (a feature that does not
vary), each for l2 of 2^-10, 1, 2^10 and 2^19; `published` is the case of vmoe's fewshot test.
"""

import os

import numpy as np
from safetensors.numpy import save_file

L2 = [2.0**-10, 1.0, 2.0**10, 2.0**19]


def inputs(features, mean, deviation):
    z = (features - mean) / (deviation + 1e-5)
    return np.concatenate([z, np.full((len(z), 1), 100.0)], axis=1)


def probe_scores(support, labels, classes, test, l2):
    mean, deviation = support.mean(0), support.std(0)
    z = inputs(support, mean, deviation)
    y = np.where(np.arange(classes)[None] == labels[:, None], 1.0, -1.0)
    tall = z.shape[0] >= z.shape[1]
    eigenvalues, q = np.linalg.eigh(z.T @ z if tall else z @ z.T)
    right = z.T @ y if tall else y
    solved = q @ ((q.T @ right) / (eigenvalues + l2)[:, None])
    weights = solved if tall else z.T @ solved
    direct = np.linalg.solve(z.T @ z + l2 * np.eye(z.shape[1]), z.T @ y)
    assert np.abs(z @ weights - z @ direct).max() < 1e-5, "eigendecomposition and solve() disagree"
    return inputs(test, mean, deviation) @ weights


def main():
    random = np.random.default_rng(20220606)
    cases = {}
    for name, rows, width, classes in (("tall", 40, 6, 4), ("wide", 10, 24, 5), ("constant", 20, 5, 3)):
        labels = np.arange(rows) % classes
        centres = random.normal(size=(classes, width))
        support = centres[labels] + 0.7 * random.normal(size=(rows, width))
        test = centres[np.arange(2 * classes) % classes] + 0.7 * random.normal(size=(2 * classes, width))
        if name == "constant":
            support[:, 2] = test[:, 2] = 3.0
        cases[name] = (support, labels, classes, test)
    cases["published"] = (np.array([[-1.0], [-2.0], [2.0], [1.0]]), np.array([0, 0, 1, 1]), 2, np.array([[-1.0], [-2.0]]))
    tensors = {}
    for name, (support, labels, classes, test) in cases.items():
        tensors[f"{name}.support"], tensors[f"{name}.test"] = support, test
        tensors[f"{name}.labels"] = labels.astype(np.int32)
        tensors[f"{name}.scores"] = np.stack([probe_scores(support, labels, classes, test, l2) for l2 in L2])
        print(name, tensors[f"{name}.scores"].argmax(-1).tolist())
    folder = os.path.dirname(os.path.abspath(__file__))
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()},
              os.path.join(folder, "ridge_probe.safetensors"))


if __name__ == "__main__":
    main()
