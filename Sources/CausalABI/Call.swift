internal import CCausal
internal import CausalEngine
internal import Glibc

/// A failure that only exists at the border: pointers, handles and dtypes.
struct CallError: Error {
    let status: causal_status
    let message: String
}

/// Runs the body of a C function: an error becomes a status and this thread's message.
func call(_ body: () throws -> Void) -> causal_status {
    do {
        try body()
        return CAUSAL_OK
    } catch let error as EngineError {
        LastError.set(error.message)
        return status(of: error.kind)
    } catch let error as CallError {
        LastError.set(error.message)
        return error.status
    } catch {
        LastError.set("\(error)")
        return CAUSAL_ERROR_STATE
    }
}

private func status(of kind: EngineError.Kind) -> causal_status {
    switch kind {
    case .shape: CAUSAL_ERROR_SHAPE
    case .value: CAUSAL_ERROR_VALUE
    case .name: CAUSAL_ERROR_NAME
    case .cycle: CAUSAL_ERROR_CYCLE
    case .file: CAUSAL_ERROR_FILE
    case .memory: CAUSAL_ERROR_MEMORY
    case .state: CAUSAL_ERROR_STATE
    case .diverged: CAUSAL_ERROR_DIVERGED
    case .missing: CAUSAL_ERROR_NULL
    }
}

/// The message of the last failing call of each thread, freed with the thread.
enum LastError {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { free($0) }
        return key
    }()

    static var text: UnsafePointer<CChar> {
        guard let message = pthread_getspecific(key) else { return empty }
        return UnsafePointer(message.assumingMemoryBound(to: CChar.self))
    }

    static func set(_ message: String) {
        // One line, whatever name a caller gave to what is named in it.
        let line = String(message.map { $0.isNewline ? " " : $0 })
        let old = pthread_getspecific(key)
        pthread_setspecific(key, strdup(line))
        free(old)
    }

    private static var empty: UnsafePointer<CChar> {
        let literal: StaticString = ""
        return UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
