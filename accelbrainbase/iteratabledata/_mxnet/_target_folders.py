"""The target domain of iterators over directories of images."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import mxnet as mx

from accelbrainbase.extractable_data import ExtractableData
from accelbrainbase.iteratabledata._mxnet._on_device import OnDevice, device_of
from accelbrainbase.iteratabledata._mxnet.unlabeled_image_iterator import UnlabeledImageIterator
from accelbrainbase.iteratabledata._two_domains import TwoDomains
from accelbrainbase.iteratabledata.image_folder_iterator import ImageFolderIterator


class TwoDomainFolders(TwoDomains, OnDevice, ImageFolderIterator):
    """Directories of two domains; those of the source domain are classes."""

    def _set_up_domains(
        self,
        image_extractor: ExtractableData,
        dir_list: Iterable[str | os.PathLike[str]],
        target_domain_dir_list: Iterable[str | os.PathLike[str]],
        test_dir_list: Iterable[str | os.PathLike[str]] | None,
        *,
        ctx: mx.Context | None,
        cache_budget: int,
        **settings: Any,
    ) -> None:
        """Check all arguments, list the files and keep the settings."""
        self.ctx = device_of(image_extractor, ctx)
        self._set_up_folders(
            image_extractor,
            dir_list,
            test_dir_list,
            cache_budget=cache_budget // 2,
            labelled=True,
            **settings,
        )
        try:
            inner = UnlabeledImageIterator(
                image_extractor,
                target_domain_dir_list,
                epochs=self.epochs,
                batch_size=self.batch_size,
                ctx=self.ctx,
                cache_budget=cache_budget - cache_budget // 2,
                thread_n=settings["thread_n"],
            )
        except (TypeError, ValueError, OSError) as error:
            text = str(error).replace("`dir_list`", "`target_domain_dir_list`")
            raise type(error)(text.replace("`dir_list[", "`target_domain_dir_list[")) from error
        self._set_up_target_domain(inner)
