public import CausalKernels

/// The numbers of a network in one flat buffer, laid out as its `ParameterLayout` tells. The buffer belongs to the engine, or is
/// borrowed from whoever keeps it alive, such as a PyTorch tensor.
///
/// Many threads may read parameters at once; writing wants them alone.
public final class Parameters<Scalar: EngineScalar>: @unchecked Sendable {
    public let count: Int
    package let pointer: UnsafeMutablePointer<Scalar>
    private let owned: Storage<Scalar>?
    /// Counts the changes that the engine made, so that a backward pass notices that its forward pass saw other numbers.
    package private(set) var version = 0

    /// `count` zeros of the engine's own.
    public init(count: Int) throws(EngineError) {
        let storage = try Storage<Scalar>(count: count, of: "parameters")
        owned = storage
        pointer = storage.pointer
        self.count = count
    }

    /// Somebody else's buffer, which must outlive this object and every trace that has seen it.
    public init(borrowing buffer: UnsafeMutableBufferPointer<Scalar>) {
        owned = nil
        pointer = buffer.baseAddress ?? emptyAddress()
        count = buffer.count
    }

    /// All numbers, in the order of the layout.
    public var values: [Scalar] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// Replaces all numbers.
    ///
    /// - Throws: `.shape` for another number of them.
    public func set(_ values: [Scalar]) throws(EngineError) {
        guard values.count == count else { throw EngineError(.shape, "parameters: \(values.count) values given, expected \(count)") }
        withMutablePointer { pointer in
            for i in 0..<values.count { pointer[i] = values[i] }
        }
    }

    /// Every change goes through here.
    package func withMutablePointer<Result>(_ body: (UnsafeMutablePointer<Scalar>) -> Result) -> Result {
        version += 1
        return body(pointer)
    }

    /// Draws every tensor as `torch.nn.Linear` does: uniform within ±1/√inputs. A weight that is no edge becomes zero.
    public func initialize(_ layout: ParameterLayout, seed: UInt64) {
        withMutablePointer { pointer in
            for (index, tensor) in layout.tensors.enumerated() {
                var random = Random(seed: seed, purpose: .initialization, index: index)
                let bound = 1 / Double(tensor.fanIn).squareRoot()
                for i in 0..<tensor.count { pointer[tensor.offset + i] = Scalar((2 * random.uniform() - 1) * bound) }
                if let edges = tensor.edges {
                    for i in 0..<tensor.count where edges.isThere[i] == 0 { pointer[tensor.offset + i] = 0 }
                }
            }
        }
    }
}
