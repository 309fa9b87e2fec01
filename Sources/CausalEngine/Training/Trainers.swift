/// How training stands.
public enum TrainerState: Hashable, Sendable {
    case running
    /// All epochs are done.
    case finished
    /// Patience ran out.
    case stoppedEarly
    /// By `cancel`, by `onEpoch`, or by an error that `run` threw.
    case cancelled
    /// A loss was not finite, or a weight would not have been; the weights are the best, where there is patience, or those of the last step made.
    case diverged
}

/// A `Trainer` of either precision.
public protocol AnyTrainer: AnyObject {
    var state: TrainerState { get }
    var history: [Epoch] { get }
    var rowsDone: Int { get }
    var rows: Int? { get }
    /// Where the numbers are that it changes.
    var addresses: Range<UInt> { get }

    func run(seconds: Double) throws(EngineError) -> TrainerState
    func endEpoch() throws(EngineError) -> TrainerState
    func cancel()
}

/// Trainers of models that have nothing to do with each other, such as those that differ in their seeds or in the rows they learn from.
public enum Trainers {
    /// Runs all that are not over, each as `run` of its own would, on as many threads as are in use; the bits do not depend on their number.
    /// It takes about `seconds`, and somebody makes at least one step; call it again to go on.
    ///
    /// - Returns: the errors of those that failed, by number. The others are none the worse for it, and go on in the next call.
    /// - Throws: before anything has happened, `.value` where two change the same parameters; `.state` for one whose rows come batch by batch.
    public static func run(_ trainers: [any AnyTrainer], seconds: Double = .infinity) throws(EngineError) -> [Int: EngineError] {
        try check(trainers)
        let end = now() + seconds
        let numbers = trainers.indices.filter { trainers[$0].state == .running }
        nonisolated(unsafe) var failures: [Int: EngineError] = [:]
        let lock = Lock()
        // One after the other to its end, so that what one works on stays in the cache.
        Threads.run(chunks: numbers.count, work: Int.max) { k in
            let left = end - now()
            guard k == 0 || left > 0 else { return }
            do throws(EngineError) {
                _ = try trainers[numbers[k]].run(seconds: max(0, left))
            } catch {
                lock.withLock { failures[numbers[k]] = error }
            }
        }
        return failures
    }

    private static func check(_ trainers: [any AnyTrainer]) throws(EngineError) {
        for (k, trainer) in trainers.enumerated() where trainer.rows == nil {
            throw EngineError(.state, "trainers[\(k)]: its rows come batch by batch, expected one that has its training data")
        }
        // In the order in which they lie in memory, some neighbours overlap where any do.
        let places = trainers.map(\.addresses)
        let order = trainers.indices.filter { !places[$0].isEmpty }.sorted { (places[$0].lowerBound, $0) < (places[$1].lowerBound, $1) }
        for (a, b) in zip(order, order.dropFirst()) where places[a].overlaps(places[b]) {
            throw EngineError(.value, "trainers[\(max(a, b))] changes the same parameters as trainers[\(min(a, b))], expected each to have its own")
        }
    }
}
