/// Several networks that learn a graph each, with weights and gates drawn anew: what the first steps settle, later ones hardly change. The graph of
/// the best score is the answer, and what their gates have in common is how sure one can be of an edge.
final class GateSearch: GraphSearch {
    private let rows: GateRows
    private let networks: Int
    private var random: Random
    /// Under way together.
    private var wave: [GateTraining]
    private var networksDone = 0
    /// Of those before the wave.
    private var finished: (parents: [[UInt16]], score: Double)?
    private var gateSums: [Double]

    private static let waveSize = 8

    init(_ rows: GateRows, networks: Int, random: Random) throws(EngineError) {
        self.rows = rows
        self.networks = networks
        self.random = random
        wave = []
        gateSums = [Double](repeating: 0, count: rows.count * rows.count)
        try beginWave()
    }

    private func beginWave() throws(EngineError) {
        for index in networksDone..<min(networks, networksDone + Self.waveSize) {
            wave.append(try GateTraining(rows, random: Random(seed: random.next(), purpose: .searching, index: index)))
        }
    }

    var isFinished: Bool { networksDone == networks }
    var progress: Double { (Double(networksDone) + wave.reduce(0) { $0 + $1.progress }) / Double(networks) }

    /// Before any network is done, that of the first as far as it is.
    var best: (parents: [[UInt16]], score: Double) {
        var best = finished
        for training in wave {
            if let score = training.score, score > best?.score ?? -.infinity { best = (training.parents, score) }
        }
        return best ?? (wave[0].parents, 0)
    }

    /// Of `cause * count + effect`, the probability that the gate is open: the mean of all networks.
    var gates: [Double] {
        var sums = gateSums
        for training in wave { add(training.gates, to: &sums) }
        return sums.map { $0 / Double(networksDone + wave.count) }
    }

    private func add(_ gates: [Double], to sums: inout [Double]) {
        for (place, gate) in gates.enumerated() { sums[place] += gate }
    }

    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        while !isFinished {
            nonisolated(unsafe) let open = wave.filter { $0.score == nil }
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
            guard wave.allSatisfy({ $0.score != nil }) else { return false }
            finished = best
            for training in wave { add(training.gates, to: &gateSums) }
            networksDone += wave.count
            wave = []
            try beginWave()
        }
        return true
    }
}
