internal import CCausal
internal import CausalEngine
internal import Glibc

/// The kinds of object that C can hold. A handle carries its kind in the top byte, where no address has anything.
enum Kind: UInt8 {
    case graph = 0xC1, intervention, model, trace, loss, optimizer, trainer, scenario, structuralTrainer, structuralModel, discovery

    var name: String {
        switch self {
        case .structuralTrainer: "structural trainer"
        case .structuralModel: "structural model"
        default: "\(self)"
        }
    }
}

/// Something that C can hold.
protocol Handled: AnyObject {
    static var kind: Kind { get }
}

/// All live handles. A handle is a token - kind, generation and index of a slot - and is never dereferenced, so one that is stale,
/// foreign or of another kind is found out.
///
/// Each object is in use by many calls that only read it, or by one that has it to itself.
enum HandleTable {
    private struct Slot {
        var generation: UInt32 = 1
        var kind = Kind.graph
        var object: AnyObject?
        /// How many calls read it; -1 while one has it to itself.
        var users = 0
    }

    // Everything below is guarded by `lock`.
    nonisolated(unsafe) private static var slots: [Slot] = []
    nonisolated(unsafe) private static var free: [Int] = []
    private static let mostSlots = 1 << 24

    private static let lock: Lock = {
        let lock = Lock()
        // A fork happens between calls: no other thread's half-done change, and none of its uses, reaches the child.
        pthread_atfork({ HandleTable.lock.lock() }, { HandleTable.lock.unlock() }, {
            pthread_mutex_init(HandleTable.lock.handle, nil)
            for index in HandleTable.slots.indices { HandleTable.slots[index].users = 0 }
        })
        return lock
    }()

    static func insert<Object: Handled>(_ object: Object) throws -> OpaquePointer {
        try lock.withLock {
            let index: Int
            if let reused = free.popLast() {
                index = reused
            } else {
                guard slots.count < mostSlots else {
                    throw CallError(status: CAUSAL_ERROR_MEMORY, message: "more than \(mostSlots) objects are alive; free some")
                }
                slots.append(Slot())
                index = slots.count - 1
            }
            slots[index].kind = Object.kind
            slots[index].object = object
            slots[index].users = 0
            return OpaquePointer(bitPattern: UInt(Object.kind.rawValue) << 56 | UInt(slots[index].generation) << 24 | UInt(index))!
        }
    }

    /// Runs `body` on an object that others may read at the same time.
    static func reading<Object: Handled, Result>(_ handle: OpaquePointer?, _: Object.Type, _ body: (Object) throws -> Result) throws -> Result {
        let (index, object) = try lock.withLock {
            let index = try find(handle, Object.kind)
            guard slots[index].users >= 0 else { throw busy(Object.kind) }
            slots[index].users += 1
            return (index, slots[index].object)
        }
        defer { lock.withLock { slots[index].users = max(0, slots[index].users - 1) } }
        return try body(unsafeDowncast(object!, to: Object.self))
    }

    /// Runs `body` on an object that nobody else may use meanwhile.
    static func owning<Object: Handled, Result>(_ handle: OpaquePointer?, _: Object.Type, _ body: (Object) throws -> Result) throws -> Result {
        let (index, object) = try lock.withLock {
            let index = try find(handle, Object.kind)
            guard slots[index].users == 0 else { throw busy(Object.kind) }
            slots[index].users = -1
            return (index, slots[index].object)
        }
        defer { lock.withLock { slots[index].users = 0 } }
        return try body(unsafeDowncast(object!, to: Object.self))
    }

    /// Runs `body` on objects that nobody else may use meanwhile: all of them, or none and an error that says which, as `name`
    /// calls the k-th.
    static func owning<Object: Handled, Result>(_ handles: [OpaquePointer?], _: Object.Type, _ name: (Int) -> String,
                                                _ body: ([Object]) throws -> Result) throws -> Result {
        var indices: [Int] = [], objects: [Object] = []
        var numbers: [Int: Int] = [:]       // by index
        try lock.withLock {
            for (k, handle) in handles.enumerated() {
                do {
                    let index = try find(handle, Object.kind)
                    if let first = numbers.updateValue(k, forKey: index) {
                        throw CallError(status: CAUSAL_ERROR_VALUE, message: "the same \(Object.kind.name) as \(name(first)), expected each once")
                    }
                    guard slots[index].users == 0 else { throw busy(Object.kind) }
                    indices.append(index)
                    objects.append(unsafeDowncast(slots[index].object!, to: Object.self))
                } catch let error as CallError {
                    throw CallError(status: error.status, message: "\(name(k)): \(error.message)")
                }
            }
            for index in indices { slots[index].users = -1 }
        }
        defer { lock.withLock { for index in indices { slots[index].users = 0 } } }
        return try body(objects)
    }

    /// The object, whoever uses it: for what may be done at any time.
    static func peek<Object: Handled>(_ handle: OpaquePointer?, _: Object.Type) throws -> Object {
        try lock.withLock { unsafeDowncast(slots[try find(handle, Object.kind)].object!, to: Object.self) }
    }

    static func isAlive(_ handle: OpaquePointer?, _ kind: Kind) -> Bool {
        lock.withLock { (try? find(handle, kind)) != nil }
    }

    static func remove(_ handle: OpaquePointer?, _ kind: Kind) throws {
        guard handle != nil else { return }
        // The object itself dies outside the lock: it may take a while.
        let object = try lock.withLock {
            let index = try find(handle, kind)
            guard slots[index].users == 0 else { throw busy(kind) }
            defer {
                slots[index].object = nil
                // A slot whose generations are used up is retired, so that no old handle ever matches again.
                if slots[index].generation < UInt32.max {
                    slots[index].generation += 1
                    free.append(index)
                }
            }
            return slots[index].object
        }
        withExtendedLifetime(object) {}
    }

    private static func find(_ handle: OpaquePointer?, _ kind: Kind) throws -> Int {
        guard let handle else { throw CallError(status: CAUSAL_ERROR_NULL, message: "\(kind.name) is NULL, expected a handle") }
        let bits = UInt(bitPattern: handle)
        guard UInt8(truncatingIfNeeded: bits >> 56) == kind.rawValue else {
            let other = Kind(rawValue: UInt8(truncatingIfNeeded: bits >> 56)).map { "a \($0.name)'s handle" } ?? "not a handle"
            throw CallError(status: CAUSAL_ERROR_HANDLE, message: "\(other) was given, expected a \(kind.name)'s")
        }
        let index = Int(bits & 0xFF_FFFF), generation = UInt32(truncatingIfNeeded: bits >> 24)
        guard index < slots.count, slots[index].generation == generation, slots[index].object != nil, slots[index].kind == kind else {
            throw CallError(status: CAUSAL_ERROR_HANDLE, message: "the \(kind.name)'s handle is stale: it was freed, or never given out")
        }
        return index
    }

    private static func busy(_ kind: Kind) -> CallError {
        CallError(status: CAUSAL_ERROR_BUSY, message: "the \(kind.name) is busy with another call")
    }
}
