"""The teacher of the face detector: BlazeFace, read from its TFLite file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SIZE_PX = 128
GRIDS = ((16, 2), (8, 6))  # cells each way, and anchors in each cell
_POINTS = slice(4, 8)  # of the 16 numbers: the two eyes; the first four are the box


class Teacher:
    """Pictures uint8 [n,128,128,3] -> for each anchor its score (a logit), box and eyes."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(file), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = {int(one["shape"][-1]): one["index"] for one in self._interpreter.get_output_details()}
        self._numbers, self._scores = outputs[16], outputs[1]
        cells = [
            ((x + 0.5) / cells, (y + 0.5) / cells)
            for cells, anchors in GRIDS
            for y in range(cells)
            for x in range(cells)
            for _ in range(anchors)
        ]
        self.anchors = np.array(cells, np.float32) * SIZE_PX  # [896,2], middle in pixels

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits float32 [n,896] and numbers [n,896,8] in pixels: middle, size, and the eyes on the left and right."""
        logits, numbers = [], []
        for picture in pictures:
            self._interpreter.set_tensor(self._input, (picture[None].astype(np.float32) - 127.5) / 127.5)
            self._interpreter.invoke()
            logits.append(self._interpreter.get_tensor(self._scores)[0, :, 0])
            found = self._interpreter.get_tensor(self._numbers)[0]
            own = np.concatenate([found[:, :4], found[:, _POINTS]], axis=1)
            own[:, :2] += self.anchors
            own[:, 4:6] += self.anchors
            own[:, 6:8] += self.anchors
            numbers.append(own)
        return np.stack(logits), np.stack(numbers)

    def maps(self) -> tuple[np.ndarray, np.ndarray]:
        """All that was said of the last picture, by cells: [16,16,34] and [8,8,102], also where there is no face."""
        scores = self._interpreter.get_tensor(self._scores)[0]
        both = np.concatenate([scores, self._interpreter.get_tensor(self._numbers)[0]], axis=1)  # [896,17]
        (cells, anchors), (coarse_cells, coarse_anchors) = GRIDS
        fine = both[: cells * cells * anchors].reshape(cells, cells, -1)
        return fine, both[cells * cells * anchors :].reshape(coarse_cells, coarse_cells, coarse_anchors * 17)
