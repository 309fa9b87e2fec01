public import CCausal
internal import CausalEngine

private let version: StaticString = "0.1.0"

@_cdecl("causal_version") @implementation
public func causal_version(_ version: UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> causal_status {
    call {
        try require(version, "version").pointee = text(CausalABI.version)
    }
}

@_cdecl("causal_last_error") @implementation
public func causal_last_error() -> UnsafePointer<CChar>? { LastError.text }

@_cdecl("causal_status_name") @implementation
public func causal_status_name(_ status: causal_status) -> UnsafePointer<CChar>? {
    switch status {
    case CAUSAL_OK: text("CAUSAL_OK")
    case CAUSAL_ERROR_NULL: text("CAUSAL_ERROR_NULL")
    case CAUSAL_ERROR_HANDLE: text("CAUSAL_ERROR_HANDLE")
    case CAUSAL_ERROR_BUSY: text("CAUSAL_ERROR_BUSY")
    case CAUSAL_ERROR_DTYPE: text("CAUSAL_ERROR_DTYPE")
    case CAUSAL_ERROR_SHAPE: text("CAUSAL_ERROR_SHAPE")
    case CAUSAL_ERROR_VALUE: text("CAUSAL_ERROR_VALUE")
    case CAUSAL_ERROR_NAME: text("CAUSAL_ERROR_NAME")
    case CAUSAL_ERROR_CYCLE: text("CAUSAL_ERROR_CYCLE")
    case CAUSAL_ERROR_FILE: text("CAUSAL_ERROR_FILE")
    case CAUSAL_ERROR_MEMORY: text("CAUSAL_ERROR_MEMORY")
    case CAUSAL_ERROR_STATE: text("CAUSAL_ERROR_STATE")
    case CAUSAL_ERROR_DIVERGED: text("CAUSAL_ERROR_DIVERGED")
    default: text("unknown status")
    }
}

@_cdecl("causal_set_threads") @implementation
public func causal_set_threads(_ threads: Int) -> causal_status {
    call { try Threads.set(threads) }
}

@_cdecl("causal_get_threads") @implementation
public func causal_get_threads(_ threads: UnsafeMutablePointer<Int>?) -> causal_status {
    call { try require(threads, "threads").pointee = Threads.count }
}

@_cdecl("causal_lend_threads") @implementation
public func causal_lend_threads(_ parallel: causal_parallel?) -> causal_status {
    call { Threads.lend(parallel) }
}

private func text(_ literal: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}
