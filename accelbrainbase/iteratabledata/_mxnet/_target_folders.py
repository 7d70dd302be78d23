"""The target domain of iterators over directories of images."""

from __future__ import annotations

import os
from collections.abc import Iterable

import mxnet as mx

from accelbrainbase.extractable_data import ExtractableData
from accelbrainbase.iteratabledata._mxnet._on_device import OnDevice, device_of
from accelbrainbase.iteratabledata._mxnet.unlabeled_image_iterator import UnlabeledImageIterator
from accelbrainbase.iteratabledata._two_domains import TwoDomains
from accelbrainbase.iteratabledata.image_folder_iterator import ImageFolderIterator
from accelbrainbase.noiseable_data import NoiseableData


class TwoDomainFolders(TwoDomains, OnDevice, ImageFolderIterator):
    """Directories of two domains; those of the source domain are classes."""

    def __init__(
        self,
        image_extractor: ExtractableData,
        dir_list: Iterable[str | os.PathLike[str]],
        target_domain_dir_list: Iterable[str | os.PathLike[str]],
        test_dir_list: Iterable[str | os.PathLike[str]] | None = None,
        epochs: int = 300,
        batch_size: int = 20,
        norm_mode: str | None = "z_score",
        scale: float = 1.0,
        noiseable_data: NoiseableData | None = None,
        ctx: mx.Context | None = None,
        *,
        seed: int | None = None,
        cache_budget: int = 2**30,
        thread_n: int | None = None,
    ) -> None:
        self.ctx = device_of(image_extractor, ctx)
        self._set_up_folders(
            image_extractor,
            dir_list,
            test_dir_list,
            epochs=epochs,
            batch_size=batch_size,
            norm_mode=norm_mode,
            scale=scale,
            noiseable_data=noiseable_data,
            seed=seed,
            cache_budget=cache_budget // 2,
            thread_n=thread_n,
            labelled=True,
        )
        try:
            inner = UnlabeledImageIterator(
                image_extractor,
                target_domain_dir_list,
                epochs=self.epochs,
                batch_size=self.batch_size,
                ctx=self.ctx,
                cache_budget=cache_budget - cache_budget // 2,
                thread_n=thread_n,
            )
        except (TypeError, ValueError, OSError) as error:
            text = str(error).replace("`dir_list`", "`target_domain_dir_list`")
            raise type(error)(text.replace("`dir_list[", "`target_domain_dir_list[")) from error
        self._set_up_target_domain(inner)
