"""The structs, callbacks and constants of include/evdb/*.h, as ctypes.

Every class has the fields of the C struct named in its docstring, in order and by name;
tests/python/test_abi.py compares all sizes and offsets with what the C compiler says.
"""
from __future__ import annotations

from ctypes import (
    CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64,
    c_void_p,
)

OK, IO, CORRUPT = 0, 6, 7
NO_ITEM = 2**64 - 1

DIM_MAX = 65536
BATCH_MAX = 10000
AUDIT_BEGUN = -1
BATCH_BYTES_MAX = 256 << 20
K_MAX = 10000
CHANGES_MAX = 10000
BACKUP_KEY_BYTES = 32
LOST_METADATA, LOST_VECTOR, LOST_BOTH = 1, 2, 3

INSERT, UPSERT, UPDATE, DELETE = 1, 2, 3, 4
BATCH_PARTIAL = 1
OPEN_EXISTING = 1
SYNC_INTERVAL = 1
METRIC_GRAPH = 1
SEARCH_METADATA = 1
CURSOR_NO_VECTORS, CURSOR_SKIP_DAMAGED = 1, 2
F32 = 1
CODEC_SPEC_MAX = 127
CODEC_LOSSLESS, CODEC_TRAINED = 1, 2
ID_TYPES = ("undecided", "integer", "string")  # position = evdb_id_type
CHANGE_KINDS = {1: "put", 2: "update", 3: "delete"}
STOPS = {0: "complete", 1: "limit"}
PHASES = {1: "check", 2: "write"}


class Error(Structure):
    """evdb_error"""

    _fields_ = [("status", c_int), ("retry_s", c_uint32), ("item", c_uint64), ("message", c_char * 496)]


class Outcome(Structure):
    """Not of the library: where one call leaves a handle or result, or its error, allocated at once."""

    _fields_ = [("out", c_void_p), ("error", Error)]


ERROR_AT = Outcome.error.offset

LOG = CFUNCTYPE(None, c_void_p, c_char_p)
READ = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t, POINTER(c_size_t), POINTER(Error))
REWIND = CFUNCTYPE(c_int, c_void_p, POINTER(Error))
WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t, POINTER(Error))
PROGRESS = CFUNCTYPE(c_int, c_void_p, c_int, c_uint64)
BAD = CFUNCTYPE(None, c_void_p, c_uint64, POINTER(Error))
MEASURED = CFUNCTYPE(c_int, c_void_p, c_uint32, c_uint32)
PROBLEM = CFUNCTYPE(None, c_void_p, c_char_p, c_char_p)
TEXT = CFUNCTYPE(None, c_void_p, c_char_p)
DISTANCE = CFUNCTYPE(c_float, c_void_p, c_void_p, c_uint32, c_void_p)


class Options(Structure):
    """evdb_options"""

    _fields_ = [("size", c_size_t), ("flags", c_uint32), ("reserved", c_uint32), ("allocator", c_void_p),
                ("log", LOG), ("log_context", c_void_p), ("index_memory_max", c_uint64),
                ("default_codec", c_char_p), ("sync", c_int), ("sync_interval_ms", c_uint32), ("backup_dir", c_char_p)]


class MetricOptions(Structure):
    """evdb_metric_options"""

    _fields_ = [("size", c_size_t), ("distance", DISTANCE), ("context", c_void_p), ("flags", c_uint32),
                ("reserved", c_uint32)]


class StoreOptions(Structure):
    """evdb_store_options"""

    _fields_ = [("size", c_size_t), ("dim", c_uint32), ("metric", c_int), ("dtype", c_int), ("id_type", c_int),
                ("m", c_uint32), ("ef_construction", c_uint32), ("index_threads", c_uint32),
                ("field_count", c_uint32), ("fields", POINTER(c_char_p)), ("metric_name", c_char_p), ("codec", c_char_p),
                ("ttl_ms", c_int64), ("trash_ms", c_int64), ("authors", c_uint32), ("reserved", c_uint32)]


class StoreInfo(Structure):
    """evdb_store_info"""

    _fields_ = [("name", c_char * 65), ("uuid", c_char * 37), ("dim", c_uint32), ("metric", c_int), ("dtype", c_int),
                ("id_type", c_int), ("m", c_uint32), ("ef_construction", c_uint32), ("index_threads", c_uint32),
                ("format", c_uint32), ("created_ms", c_int64), ("field_count", c_uint32),
                ("fields", POINTER(c_char_p)), ("metric_name", c_char_p), ("codec", c_char_p), ("ttl_ms", c_int64),
                ("trash_ms", c_int64), ("authors", c_uint32), ("reserved", c_uint32)]


class StoreStats(Structure):
    """evdb_store_stats"""

    _fields_ = [("size", c_size_t), ("records", c_uint64), ("sequence", c_uint64), ("changes_horizon", c_uint64),
                ("memory_bytes", c_uint64), ("disk_bytes", c_uint64), ("loaded_sequence", c_uint64),
                ("filter_reads", c_uint64),
                ("recall_samples", c_uint64), ("recall", c_float), ("reserved", c_uint32)]


class Compression(Structure):
    """evdb_compression"""

    _fields_ = [("size", c_size_t), ("state", c_int), ("reserved", c_uint32), ("codec", c_char * 128), ("in_force", c_char * 128),
                ("needed", c_uint64), ("done", c_uint64), ("total", c_uint64), ("vector_bytes", c_uint64),
                ("row_bytes", c_uint64), ("plain_bytes", c_uint64), ("trained_bytes", c_uint64), ("loss", c_double),
                ("loss_now", c_double), ("version", c_uint64), ("problem", c_char * 256)]


class Id(Structure):
    """evdb_id"""

    _fields_ = [("number", c_int64), ("text", c_char_p), ("length", c_size_t)]


class Record(Structure):
    """evdb_record"""

    _fields_ = [("id", Id), ("version", c_uint64), ("dtype", c_int), ("dim", c_uint32), ("vector", c_void_p),
                ("metadata", c_char_p), ("metadata_length", c_size_t), ("expires_ms", c_int64), ("author", c_char_p),
                ("written_ms", c_int64)]


class Batch(Structure):
    """evdb_batch"""

    _fields_ = [("size", c_size_t), ("kind", c_int), ("flags", c_uint32), ("count", c_size_t), ("numbers", c_void_p),
                ("ids", c_void_p), ("vectors", c_void_p), ("stride", c_size_t), ("dtype", c_int), ("dim", c_uint32),
                ("metadata", c_void_p), ("if_versions", c_void_p), ("statuses", c_void_p), ("versions", c_void_p),
                ("errors", c_void_p), ("codec", c_char_p), ("expires", c_void_p), ("author", c_char_p), ("authors", c_void_p),
                ("written", c_void_p)]


class ForgetReport(Structure):
    """evdb_forget_report"""

    _fields_ = [("size", c_size_t), ("forgotten", c_uint64), ("missing", c_uint64)]


class Trashed(Structure):
    """evdb_trashed"""

    _fields_ = [("id", Id), ("number", c_uint64), ("deleted_ms", c_int64), ("deleter", c_char_p), ("version", c_uint64),
                ("metadata", c_char_p), ("metadata_length", c_size_t), ("expires_ms", c_int64), ("until_ms", c_int64)]


class Trash(Structure):
    """evdb_trash"""

    _fields_ = [("count", c_size_t), ("at", POINTER(Trashed)), ("next", c_uint64)]


class Undelete(Structure):
    """evdb_undelete"""

    _fields_ = [("size", c_size_t), ("ids", c_void_p), ("count", c_size_t), ("since_ms", c_int64), ("flags", c_uint32),
                ("reserved", c_uint32)]


class UndeleteReport(Structure):
    """evdb_undelete_report"""

    _fields_ = [("size", c_size_t), ("restored", c_uint64), ("existing", c_uint64)]


class CursorOptions(Structure):
    """evdb_cursor_options"""

    _fields_ = [("size", c_size_t), ("flags", c_uint32), ("has_after", c_uint32), ("after", Id)]


class Change(Structure):
    """evdb_change"""

    _fields_ = [("sequence", c_uint64), ("kind", c_int), ("id", Id)]


class Changes(Structure):
    """evdb_changes"""

    _fields_ = [("count", c_size_t), ("at", POINTER(Change)), ("last", c_uint64), ("horizon", c_uint64)]


class SearchOptions(Structure):
    """evdb_search_options"""

    _fields_ = [("size", c_size_t), ("k", c_uint32), ("ef", c_uint32), ("threads", c_uint32), ("flags", c_uint32),
                ("filter", c_char_p), ("accuracy", c_float), ("reserved", c_uint32)]


class Result(Structure):
    """evdb_result"""

    _fields_ = [("queries", c_size_t), ("count", c_size_t), ("offsets", c_void_p), ("ids", c_void_p),
                ("numbers", c_void_p), ("distances", c_void_p), ("scores", c_void_p), ("metadata", c_void_p),
                ("complete", c_int32), ("stop", c_int), ("authors", c_void_p), ("written", c_void_p)]


class CodecFigures(Structure):
    """evdb_codec_figures"""

    _fields_ = [("asked", c_char_p), ("codec", c_char_p), ("status", c_int), ("reserved", c_uint32), ("message", c_char_p),
                ("bytes", c_double), ("compression_ratio", c_double), ("compression_time", c_double),
                ("decompression_time", c_double), ("accuracy_loss", c_double), ("recall_at_10", c_double),
                ("training_time", c_double), ("trained_bytes", c_uint64)]


class CodecReport(Structure):
    """evdb_codec_report"""

    _fields_ = [("vectors", c_uint64), ("queries", c_uint32), ("dim", c_uint32), ("metric", c_int), ("count", c_uint32),
                ("codecs", POINTER(CodecFigures)), ("proposed", c_void_p)]


class BenchmarkOptions(Structure):
    """evdb_benchmark_options"""

    _fields_ = [("size", c_size_t), ("vectors", c_void_p), ("count", c_size_t), ("dim", c_uint32), ("metric", c_int),
                ("sample", c_uint32), ("codec_count", c_uint32), ("codecs", c_void_p), ("seed", c_uint64),
                ("progress", MEASURED), ("context", c_void_p), ("allocator", c_void_p)]


class AdviseOptions(Structure):
    """evdb_advise_options"""

    _fields_ = [("size", c_size_t), ("recall", c_float), ("sample", c_uint32), ("reserved", c_uint32),
                ("codec_count", c_uint32), ("codecs", c_void_p), ("seed", c_uint64), ("progress", MEASURED),
                ("context", c_void_p)]


class Source(Structure):
    """evdb_source"""

    _fields_ = [("context", c_void_p), ("read", READ), ("rewind", REWIND)]


class Sink(Structure):
    """evdb_sink"""

    _fields_ = [("context", c_void_p), ("write", WRITE)]


class ImportOptions(Structure):
    """evdb_import_options"""

    _fields_ = [("size", c_size_t), ("format", c_int), ("kind", c_int), ("keep_going", c_uint32),
                ("batch", c_uint32), ("first_id", c_int64), ("companion", POINTER(Source)), ("progress", PROGRESS),
                ("bad", BAD), ("context", c_void_p), ("resume", c_uint32), ("keep_authors", c_uint32), ("author", c_char_p)]


class ImportReport(Structure):
    """evdb_import_report"""

    _fields_ = [("written", c_uint64), ("skipped", c_uint64), ("present", c_uint64)]


class ForeignOptions(Structure):
    """evdb_foreign_options"""

    _fields_ = [("size", c_size_t), ("kind", c_int), ("reserved", c_uint32), ("name", c_char_p), ("column", c_char_p)]


class ForeignInfo(Structure):
    """evdb_foreign_info"""

    _fields_ = [("size", c_size_t), ("records", c_uint64), ("dim", c_uint32), ("metric", c_int), ("dtype", c_int),
                ("reserved", c_uint32)]


class ExportOptions(Structure):
    """evdb_export_options"""

    _fields_ = [("size", c_size_t), ("format", c_int), ("reserved", c_uint32), ("companion", POINTER(Sink)),
                ("progress", PROGRESS), ("context", c_void_p)]


class VerifyReport(Structure):
    """evdb_verify_report"""

    _fields_ = [("stores", c_uint64), ("records", c_uint64), ("problems", c_uint64)]


LOST = CFUNCTYPE(None, c_void_p, POINTER(Id), c_int)


class RepairOptions(Structure):
    """evdb_repair_options"""

    _fields_ = [("size", c_size_t), ("context", c_void_p), ("problem", LOG), ("lost", LOST), ("progress", PROGRESS),
                ("description", POINTER(StoreOptions))]


class AuditQuery(Structure):
    """evdb_audit_query"""

    _fields_ = [("size", c_size_t), ("after", c_uint64), ("limit", c_uint32), ("newest", c_uint32)]


class AuditEntry(Structure):
    """evdb_audit_entry"""

    _fields_ = [("number", c_uint64), ("of", c_uint64), ("count", c_uint64), ("time_ms", c_int64), ("outcome", c_int32),
                ("who", c_char * 137), ("via", c_char * 32), ("act", c_char * 64), ("target", c_char * 256)]


class AuditReport(Structure):
    """evdb_audit_report"""

    _fields_ = [("size", c_size_t), ("entries", c_uint64), ("problems", c_uint64), ("head", c_char * 96)]


class RepairReport(Structure):
    """evdb_repair_report"""

    _fields_ = [("size", c_size_t), ("problems", c_uint64), ("records", c_uint64), ("lost", c_uint64), ("lost_unnamed", c_uint64),
                ("missing_changes", c_uint64), ("sequence", c_uint64), ("repaired", c_uint32), ("fields_lost", c_uint32),
                ("quarantine", c_char * 64)]


class BackupInfo(Structure):
    """evdb_backup_info"""

    _fields_ = [("size", c_size_t), ("name", c_char * 129), ("store", c_char * 65), ("uuid", c_char * 37), ("id", c_char * 33),
                ("base", c_char * 33), ("base_sequence", c_uint64), ("sequence", c_uint64), ("records", c_uint64),
                ("entries", c_uint64), ("raw_bytes", c_uint64), ("file_bytes", c_uint64), ("created_ms", c_int64),
                ("finished_ms", c_int64), ("dim", c_uint32), ("metric", c_int), ("dtype", c_int), ("encrypted", c_uint32),
                ("format", c_uint32), ("reserved", c_uint32), ("codec", c_char * 128), ("problem", c_char * 256)]


class BackupOptions(Structure):
    """evdb_backup_options"""

    _fields_ = [("size", c_size_t), ("base", POINTER(BackupInfo)), ("base_name", c_char_p), ("name", c_char_p), ("key", c_char_p),
                ("progress", PROGRESS), ("context", c_void_p)]


class PruneOptions(Structure):
    """evdb_prune_options"""

    _fields_ = [("size", c_size_t), ("store", c_char_p), ("keep", c_uint32), ("dry_run", c_uint32), ("since_ms", c_int64),
                ("counts", CFUNCTYPE(c_int, c_void_p, POINTER(BackupInfo))), ("context", c_void_p)]


class RestoreOptions(Structure):
    """evdb_restore_options"""

    _fields_ = [("size", c_size_t), ("key", c_char_p), ("sequence", c_uint64), ("time_ms", c_int64), ("replace", c_uint32),
                ("reserved", c_uint32), ("progress", PROGRESS), ("context", c_void_p)]


class IndexStatus(Structure):
    """evdb_index_status"""

    _fields_ = [("size", c_size_t), ("linked", c_uint64), ("waiting", c_uint64), ("memory_bytes", c_uint64),
                ("total", c_uint64), ("disk_bytes", c_uint64), ("saved_sequence", c_uint64), ("state", c_int),
                ("progress", c_float), ("problem", c_char * 256)]


class CodecKind(Structure):
    """evdb_codec_kind"""

    _fields_ = [("name", c_char_p), ("aliases", c_char_p), ("parameters", c_char_p), ("doc", c_char_p), ("stage", c_int),
                ("flags", c_uint32)]


class CodecOptions(Structure):
    """evdb_codec_options"""

    _fields_ = [("size", c_size_t), ("spec", c_char_p), ("dim", c_uint32), ("threads", c_uint32), ("sample", c_void_p),
                ("count", c_size_t), ("seed", c_uint64), ("allocator", c_void_p)]


_P = c_void_p  # handles, outputs and arrays: every pointer the caller keeps track of itself

# Function name: (result type, argument types). Functions that end in an evdb_error* return evdb_status.
PROTOTYPES = {
    "evdb_version": (c_char_p, []),
    "evdb_version_format": (c_uint32, []),
    "evdb_version_kernel": (c_char_p, []),
    "evdb_status_name": (c_char_p, [c_int]),
    "evdb_status_text": (c_char_p, [c_int]),
    "evdb_open": (c_int, [c_char_p, _P, _P, _P]),
    "evdb_close": (None, [_P]),
    "evdb_metric_name": (c_char_p, [c_int]),
    "evdb_metric_parse": (c_int, [c_char_p, _P, _P]),
    "evdb_dtype_name": (c_char_p, [c_int]),
    "evdb_dtype_parse": (c_int, [c_char_p, _P, _P]),
    "evdb_metric_register": (c_int, [_P, c_char_p, _P, _P]),
    "evdb_distance": (c_int, [c_int, _P, _P, c_uint32, _P, _P]),
    "evdb_distance_batch": (c_int, [c_int, _P, _P, c_size_t, c_size_t, c_uint32, _P, _P]),
    "evdb_distance_score": (c_float, [c_int, c_float]),
    "evdb_store_create": (c_int, [_P, c_char_p, _P, _P, _P]),
    "evdb_store_open": (c_int, [_P, c_char_p, _P, _P]),
    "evdb_store_close": (None, [_P]),
    "evdb_store_rename": (c_int, [_P, c_char_p, c_char_p, _P]),
    "evdb_store_drop": (c_int, [_P, c_char_p, _P]),
    "evdb_store_list": (c_int, [_P, _P, _P, _P]),
    "evdb_store_list_free": (None, [_P, c_size_t]),
    "evdb_store_describe": (c_int, [_P, _P, _P]),
    "evdb_store_info_free": (None, [_P]),
    "evdb_store_get_stats": (c_int, [_P, _P, _P]),
    "evdb_store_count": (c_int, [_P, _P, _P]),
    "evdb_store_sync": (c_int, [_P, _P]),
    "evdb_filter_count": (c_int, [_P, c_char_p, _P, _P]),
    "evdb_record_get": (c_int, [_P, Id, _P, _P]),
    "evdb_record_free": (None, [_P]),
    "evdb_batch_write": (c_int, [_P, _P, _P, _P]),
    "evdb_cursor_open": (c_int, [_P, _P, _P, _P]),
    "evdb_cursor_next": (c_int, [_P, _P, _P]),
    "evdb_cursor_close": (None, [_P]),
    "evdb_changes_read": (c_int, [_P, c_uint64, c_size_t, _P, _P]),
    "evdb_changes_free": (None, [_P]),
    "evdb_changes_trim": (c_int, [_P, c_uint64, _P]),
    "evdb_search": (c_int, [_P, _P, c_uint32, _P, _P, _P]),
    "evdb_search_range": (c_int, [_P, _P, c_uint32, c_float, _P, _P, _P]),
    "evdb_search_batch": (c_int, [_P, _P, c_size_t, c_size_t, c_uint32, _P, _P, _P]),
    "evdb_result_free": (None, [_P]),
    "evdb_index_build": (c_int, [_P, c_uint32, _P]),
    "evdb_index_get_status": (c_int, [_P, _P, _P]),
    "evdb_index_rebuild": (c_int, [_P, c_uint32, _P]),
    "evdb_index_create": (c_int, [_P, _P]),
    "evdb_index_drop": (c_int, [_P, _P]),
    "evdb_index_pause": (c_int, [_P, _P]),
    "evdb_index_resume": (c_int, [_P, _P]),
    "evdb_index_cancel": (c_int, [_P, _P]),
    "evdb_index_estimate": (c_int, [c_uint32, c_uint64, c_uint32, _P, _P]),
    "evdb_index_state_name": (c_char_p, [c_int]),
    "evdb_store_forget": (c_int, [_P, _P, c_size_t, _P, _P]),
    "evdb_store_set_ttl": (c_int, [_P, c_int64, _P]),
    "evdb_store_set_trash": (c_int, [_P, c_int64, _P]),
    "evdb_trash_list": (c_int, [_P, c_uint64, c_size_t, _P, _P]),
    "evdb_trash_free": (None, [_P]),
    "evdb_trash_restore": (c_int, [_P, _P, _P, _P]),
    "evdb_trash_empty": (c_int, [_P, _P, _P]),
    "evdb_record_merge": (c_int, [_P, Id, c_char_p, c_char_p, c_uint64, _P, _P]),
    "evdb_store_set_authors": (c_int, [_P, c_uint32, _P]),
    "evdb_record_set_expiry": (c_int, [_P, Id, c_int64, c_uint64, _P, _P]),
    "evdb_store_set_codec": (c_int, [_P, c_char_p, _P]),
    "evdb_store_get_compression": (c_int, [_P, _P, _P]),
    "evdb_store_recode": (c_int, [_P, _P]),
    "evdb_compression_state_name": (c_char_p, [c_int]),
    "evdb_codec_benchmark": (c_int, [_P, _P, _P]),
    "evdb_codec_report_free": (None, [_P]),
    "evdb_store_sample": (c_int, [_P, c_uint32, _P, _P, _P]),
    "evdb_store_advise": (c_int, [_P, _P, _P, _P]),
    "evdb_format_name": (c_char_p, [c_int]),
    "evdb_format_parse": (c_int, [c_char_p, _P, _P]),
    "evdb_import": (c_int, [_P, _P, _P, _P, _P]),
    "evdb_foreign_kind_name": (c_char_p, [c_int]),
    "evdb_foreign_kind_parse": (c_int, [c_char_p, _P, _P]),
    "evdb_foreign_open": (c_int, [_P, c_char_p, _P, _P, _P]),
    "evdb_foreign_close": (None, [_P]),
    "evdb_foreign_describe": (c_int, [_P, _P, _P]),
    "evdb_foreign_import": (c_int, [_P, _P, _P, _P, _P]),
    "evdb_export": (c_int, [_P, _P, _P, _P, _P]),
    "evdb_codec_kind_at": (_P, [c_uint32]),
    "evdb_codec_check": (c_int, [c_char_p, c_uint32, _P, _P, _P]),
    "evdb_codec_create": (c_int, [_P, _P, _P]),
    "evdb_codec_free": (None, [_P]),
    "evdb_codec_spec": (c_char_p, [_P]),
    "evdb_codec_dim": (c_uint32, [_P]),
    "evdb_codec_bound": (c_size_t, [_P]),
    "evdb_codec_trained_bytes": (c_size_t, [_P]),
    "evdb_codec_encode": (c_int, [_P, _P, c_size_t, _P, _P, _P]),
    "evdb_codec_decode": (c_int, [_P, _P, _P, c_size_t, _P, _P]),
    "evdb_codec_distances": (c_int, [_P, c_int, _P, _P, _P, c_size_t, _P, _P]),
    "evdb_codec_seal": (c_int, [_P, _P, _P, _P, _P]),
    "evdb_codec_sealed": (c_int, [_P, c_size_t, _P, _P, _P]),
    "evdb_codec_unseal": (c_int, [_P, _P, c_size_t, _P, _P]),
    "evdb_bytes_free": (None, [_P]),
    "evdb_codec_save": (c_int, [_P, _P, _P, _P]),
    "evdb_codec_load": (c_int, [_P, c_size_t, _P, _P, _P]),
    "evdb_backup_create": (c_int, [_P, c_char_p, _P, _P, _P]),
    "evdb_backup_list": (c_int, [_P, _P, _P, _P]),
    "evdb_backup_list_free": (None, [_P, c_size_t]),
    "evdb_backup_find": (c_int, [_P, _P, c_size_t, c_char_p, _P, _P, _P]),
    "evdb_backup_verify": (c_int, [_P, c_char_p, _P, _P, _P]),
    "evdb_backup_prune": (c_int, [_P, _P, _P, _P, _P]),
    "evdb_backup_delete": (c_int, [_P, c_char_p, _P]),
    "evdb_backup_restore": (c_int, [_P, c_char_p, c_char_p, _P, _P, _P]),
    "evdb_store_repair": (c_int, [_P, c_char_p, _P, _P, _P]),
    "evdb_audit_list": (c_int, [_P, _P, _P, _P, _P]),
    "evdb_audit_list_free": (None, [_P]),
    "evdb_audit_verify": (c_int, [_P, c_char_p, TEXT, _P, _P, _P]),
    "evdb_verify": (c_int, [_P, c_char_p, PROBLEM, _P, _P, _P]),
}
