"""What editors and type checkers see of the names that `__init__.py` loads when they are first used."""

from video_understanding.bundle import Bundle as Bundle
from video_understanding.clip import Clip as Clip
from video_understanding.datasets.cache import ClipCache as ClipCache
from video_understanding.datasets.manifest import Manifest as Manifest
from video_understanding.datasets.manifest import load_manifest as load_manifest
from video_understanding.datasets.preflight import check_dataset as check_dataset
from video_understanding.datasets.splits import make_folds as make_folds
from video_understanding.datasets.splits import split_rows as split_rows
from video_understanding.errors import VideoUnderstandingError as VideoUnderstandingError
from video_understanding.evaluation import evaluate as evaluate
from video_understanding.explain import explain as explain
from video_understanding.export.make import export as export
from video_understanding.features.prepare import prepare as prepare
from video_understanding.labels import HeadSpec as HeadSpec
from video_understanding.labels import Labels as Labels
from video_understanding.media.decode import iter_clips as iter_clips
from video_understanding.media.decode import read_clip as read_clip
from video_understanding.media.inspect import inspect_media as inspect_media
from video_understanding.models.build import VideoUnderstandingModel as VideoUnderstandingModel
from video_understanding.models.personal import personalised as personalised
from video_understanding.prediction import Prediction as Prediction
from video_understanding.prediction import Segment as Segment
from video_understanding.presets import preset as preset
from video_understanding.recognition.recognizer import Recognizer as Recognizer
from video_understanding.recognition.streaming import StreamingRecognizer as StreamingRecognizer
from video_understanding.runtimes import load as load
from video_understanding.scorer import ModelInputs as ModelInputs
from video_understanding.search.index import Index as Index
from video_understanding.spec import AudioSpec as AudioSpec
from video_understanding.spec import LogMelSpec as LogMelSpec
from video_understanding.spec import ModelSpec as ModelSpec
from video_understanding.spec import NetworkSpec as NetworkSpec
from video_understanding.spec import VideoSpec as VideoSpec
from video_understanding.training.crossval import crossval as crossval
from video_understanding.training.dataset import load_dataset as load_dataset
from video_understanding.training.train import train as train

__version__: str
