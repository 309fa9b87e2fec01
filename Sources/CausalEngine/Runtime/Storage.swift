internal import Glibc

/// Raw memory for plain numbers, aligned for vectors, freed when the last owner lets go. What is in it stays where it is.
///
/// Whoever holds a storage decides who may write: the type itself makes no promise about threads.
package final class Storage<Element: BitwiseCopyable>: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Element>
    package let count: Int

    /// `count` elements of zeros.
    ///
    /// - Throws: `.memory` where the system has no more.
    package init(count: Int, of what: @autoclosure () -> String) throws(EngineError) {
        let bytes = try checkedSize(max(count, 1), MemoryLayout<Element>.stride, of: what())
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, bytes) == 0, let memory else {
            throw EngineError(.memory, "\(what()): no memory for \(bytes) bytes")
        }
        memset(memory, 0, bytes)
        self.pointer = memory.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    /// A copy of `source`.
    package convenience init(copying source: UnsafeBufferPointer<Element>, of what: @autoclosure () -> String) throws(EngineError) {
        try self.init(count: source.count, of: what())
        if let base = source.baseAddress { pointer.update(from: base, count: source.count) }
    }

    deinit { free(pointer) }

    package var buffer: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: pointer, count: count) }
    package var mutableBuffer: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: pointer, count: count) }
}
