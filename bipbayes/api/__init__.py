"""The objects and functions of ``import bipbayes``; `bipbayes` itself names them all."""
