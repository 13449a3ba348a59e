"""Tables as Arrow's own library writes them. In: pyarrow (26.0.1 made those that are kept here). Out: the files beside this script.

    python test/data/arrow/make.py
"""

import pathlib

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet

here = pathlib.Path(__file__).parent
table = pa.table(
    {
        "x0": pa.array([at / 4 for at in range(7)], pa.float32()),
        "x1": pa.array([-at for at in range(7)], pa.int64()),
        "y": ["dog", "cat", "dog", "ant", "cat", "dog", "ant"],
    }
)

for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    parquet.write_table(table, here / f"{codec}.parquet", compression=codec, row_group_size=4, store_schema=False)
feather.write_feather(table, here / "plain.feather", compression="uncompressed", chunksize=4)
feather.write_feather(table, here / "lz4.feather", compression="lz4")
