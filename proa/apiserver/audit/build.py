"""Puts audit together from the configuration; without a policy, or without a place for events, there is none and it costs nothing."""

from collections.abc import Callable

from proa.apiserver.audit.auditor import AuditMetrics, Auditor
from proa.apiserver.audit.backend import BATCH, MODES, Backend, BatchOptions, Target, Truncation
from proa.apiserver.audit.log_file import STANDARD_OUTPUT, LogFile, LogTarget
from proa.apiserver.audit.options import AuditOptions
from proa.apiserver.audit.policy import load_policy
from proa.lib.clock import Clock
from proa.lib.metrics import Registry

FORMATS = ("json", "legacy")
VERSIONS = ("audit.k8s.io/v1",)
Lost = Callable[[str, int], None]


def build_auditor(options: AuditOptions, clock: Clock, registry: Registry) -> Auditor | None:
    """Raises ValueError that names what can't be used."""
    if options.audit_policy_file is None:
        return None
    policy = load_policy(options.audit_policy_file)
    for plugin in ("log", "webhook"):
        check_plugin(options, plugin)
    metrics = AuditMetrics.of(registry)

    def lost(plugin: str, count: int) -> None:
        metrics.errors.increment(plugin, by=count)

    targets = [target for target in (_log(options, clock), _webhook(options, clock)) if target is not None]
    return Auditor(policy, [_backend(options, target, clock, lost) for target in targets], clock, metrics) if targets else None


def _log(options: AuditOptions, clock: Clock) -> Target | None:
    path = options.audit_log_path
    if path is None:
        return None
    if options.audit_log_format not in FORMATS:
        raise ValueError(f'invalid audit log format {options.audit_log_format}, allowed formats are "{",".join(FORMATS)}"')
    legacy = options.audit_log_format == "legacy"
    if str(path) == STANDARD_OUTPUT:
        return LogTarget(None, legacy=legacy)
    try:
        file = LogFile(
            path, clock, options.audit_log_maxsize, options.audit_log_maxage, options.audit_log_maxbackup,
            compress=options.audit_log_compress,
        )  # fmt: skip
    except OSError as error:
        raise ValueError(f"audit log {path} can't be written: {error.strerror}") from None
    return LogTarget(file, legacy=legacy)


def _webhook(options: AuditOptions, clock: Clock) -> Target | None:
    """Its client is loaded only when there is one."""
    config = options.audit_webhook_config_file
    if config is None:
        return None
    from proa.apiserver.audit.webhook import WebhookTarget

    try:
        return WebhookTarget(config, clock, options.audit_webhook_initial_backoff)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"initializing audit webhook: {config} can't be used: {error}") from None


def _backend(options: AuditOptions, target: Target, clock: Clock, lost: Lost) -> Backend:
    def option(name: str) -> object:
        return getattr(options, f"audit_{target.name}_{name}")

    batch = BatchOptions(
        *(option(f"batch_{name}") for name in ("buffer_size", "max_size", "max_wait", "throttle_enable", "throttle_qps", "throttle_burst"))  # type: ignore[arg-type]
    )
    truncation = Truncation(*(option(f"truncate_{name}") for name in ("enabled", "max_event_size", "max_batch_size")))  # type: ignore[arg-type]
    return Backend(target, str(option("mode")), clock, lost, batch, truncation)


def check_plugin(options: AuditOptions, plugin: str) -> None:
    """Raises ValueError in upstream's words."""

    def option(name: str) -> float:
        number: float = getattr(options, f"audit_{plugin}_{name}")
        return number

    mode = getattr(options, f"audit_{plugin}_mode")
    if mode not in MODES:
        raise ValueError(f'invalid audit {plugin} mode {mode}, allowed modes are "{",".join(MODES)}"')
    wanted: list[tuple[str, str]] = []
    if mode == BATCH:
        wanted = [("batch_buffer_size", "batch {} buffer size"), ("batch_max_size", "batch {} max batch size")]
        if option("batch_throttle_enable"):
            wanted += [("batch_throttle_qps", "batch {} throttle QPS"), ("batch_throttle_burst", "batch {} throttle burst")]
    wanted.append(("truncate_max_event_size", "truncate {} max event size"))
    for name, described in wanted:
        if option(name) <= 0:
            raise ValueError(f"invalid audit {described.format(plugin)} {option(name)}, must be a positive number")
    if option("truncate_max_batch_size") < option("truncate_max_event_size"):
        sizes = option("truncate_max_batch_size"), option("truncate_max_event_size")
        raise ValueError(f"invalid audit truncate {plugin} max batch size {sizes[0]}, must be greater than max event size ({sizes[1]})")
    if getattr(options, f"audit_{plugin}_version") not in VERSIONS:
        raise ValueError('invalid group version, allowed versions are ["audit.k8s.io/v1"]')
