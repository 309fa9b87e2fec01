/// Several networks that learn a graph each, with weights and gates drawn anew: what the first steps settle, later ones hardly change. The graph of the best score
/// is the answer, and what their gates have in common is how sure one can be of an edge.
final class GateSearch: GraphSearch {
    private let trainings: [GateTraining]

    init(_ rows: GateRows, networks: Int, random: Random) throws(EngineError) {
        var random = random, trainings: [GateTraining] = []
        for index in 0..<networks { trainings.append(try GateTraining(rows, random: Random(seed: random.next(), purpose: .searching, index: index))) }
        self.trainings = trainings
    }

    var isFinished: Bool { trainings.allSatisfy { $0.score != nil } }
    var progress: Double { trainings.reduce(0) { $0 + $1.progress } / Double(trainings.count) }

    var best: (parents: [[UInt16]], score: Double) {
        var best = trainings[0]
        for training in trainings where training.score ?? -.infinity > best.score ?? -.infinity { best = training }
        return (best.parents, best.score ?? 0)
    }

    /// Of `cause * count + effect`, the probability that the gate is open: the mean of all networks.
    var gates: [Double] {
        var sum = [Double](repeating: 0, count: trainings[0].gates.count)
        for training in trainings { for (place, gate) in training.gates.enumerated() { sum[place] += gate } }
        return sum.map { $0 / Double(trainings.count) }
    }

    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        nonisolated(unsafe) let open = trainings.filter { $0.score == nil }
        nonisolated(unsafe) var failure: EngineError?
        let lock = Lock()
        Threads.run(chunks: open.count, work: .max) { k in
            guard !shouldStop(), lock.withLock({ failure == nil }) else { return }
            do throws(EngineError) {
                _ = try open[k].run(shouldStop: shouldStop)
            } catch {
                lock.withLock { failure = error }
            }
        }
        if let failure { throw failure }
        return isFinished
    }
}
