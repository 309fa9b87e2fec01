internal import CausalKernels

/// The best weights so far, to come back to.
final class BestWeights<Scalar: EngineScalar> {
    private let copy: Storage<Scalar>
    /// The epoch that left them; nil for those that training began with.
    private(set) var epoch: Int?
    private(set) var loss = Double.infinity

    init(_ parameters: Parameters<Scalar>) throws(EngineError) {
        copy = try Storage(copying: UnsafeBufferPointer(start: parameters.pointer, count: parameters.count), of: "weights")
    }

    func keep(_ parameters: Parameters<Scalar>, loss: Double, epoch: Int) {
        self.loss = loss
        self.epoch = epoch
        copy.pointer.update(from: parameters.pointer, count: copy.count)
    }

    func restore(_ parameters: Parameters<Scalar>) { parameters.withMutablePointer { $0.update(from: copy.pointer, count: copy.count) } }
}
