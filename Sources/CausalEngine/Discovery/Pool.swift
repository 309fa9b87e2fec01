internal import Glibc

/// Plain numbers one after the other, to which more are appended; what is in it moves when it grows.
final class Pool<Element: BitwiseCopyable> {
    private(set) var pointer: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity = 1024

    init() { pointer = .allocate(capacity: capacity) }

    deinit { pointer.deallocate() }

    /// Room for more elements, whose values are whatever was there; returns where it begins.
    func grow(by more: Int) -> Int {
        if count + more > capacity {
            capacity = max(2 * capacity, count + more)
            let moved = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
            moved.update(from: pointer, count: count)
            pointer.deallocate()
            pointer = moved
        }
        count += more
        return count - more
    }

    func append(_ element: Element) {
        let place = grow(by: 1)     // first, since it moves the pointer
        pointer[place] = element
    }

    func removeAll() { count = 0 }

    var bytes: Int { capacity * MemoryLayout<Element>.stride }
}

/// A set of variables as bits, 64 in each word.
struct VariableBits {
    let words: UnsafeMutablePointer<UInt64>
    let count: Int

    static func words(for variables: Int) -> Int { (variables + 63) / 64 }

    init(variables: Int) {
        count = Self.words(for: variables)
        words = .allocate(capacity: count)
        words.initialize(repeating: 0, count: count)
    }

    @inline(__always) func insert(_ variable: Int) { words[variable >> 6] |= 1 << UInt64(variable & 63) }
    @inline(__always) func remove(_ variable: Int) { words[variable >> 6] &= ~(1 << UInt64(variable & 63)) }
    func removeAll() { words.update(repeating: 0, count: count) }
    func deallocate() { words.deallocate() }
}

@inline(__always) func hasBit(_ words: UnsafePointer<UInt64>, _ variable: Int) -> Bool { words[variable >> 6] >> UInt64(variable & 63) & 1 != 0 }
