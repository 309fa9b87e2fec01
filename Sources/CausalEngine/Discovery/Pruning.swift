internal import Glibc

/// Leaves out parents, one by one, without which a flexible network predicts rows held out about as well: they are there because the mechanisms
/// of a score are not quite those of the data.
final class Pruning {
    private let data: StructuralDataset
    private let required: [[UInt16]]
    private let price: Double
    private let weights: [Int]?
    private let random: Random
    /// By variable.
    private(set) var parents: [[UInt16]]
    private(set) var variablesDone = 0

    private var network: RandomNetwork?
    private var likelihood = 0.0
    /// Of the variable under way, the likelihoods without each of its parents, as far as they are known.
    private var without: [Double] = []

    /// Parents that are tried between two looks at the clock.
    private static let atOnce = 4
    /// With fewer rows, what a network says is chance.
    private static let fewestRows = 500

    init(_ parents: [[UInt16]], _ data: StructuralDataset, _ knowledge: SearchKnowledge, weights: [Int]?, penalty: Double, random: Random) {
        self.parents = parents
        self.data = data
        self.weights = weights
        self.random = random
        required = knowledge.required
        price = penalty / 2 * log(Double(max(data.rows, 2)))
    }

    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        while variablesDone < parents.count {
            guard !shouldStop() else { return false }
            try step()
        }
        return true
    }

    private func step() throws(EngineError) {
        let v = variablesDone, own = parents[v].map(Int.init)
        guard !own.isEmpty else { return next() }
        if network == nil {
            let rows = (0..<data.rows).filter { !data.isSet($0, v) && weights?[$0] != 0 }
            guard rows.count >= Self.fewestRows else { return next() }
            network = try RandomNetwork(v, data, rows: rows, random: random)
            likelihood = try network!.likelihood(own)
            return
        }
        if without.count < own.count {
            let network = network!, first = without.count, count = min(Self.atOnce, own.count - first), lock = Lock()
            nonisolated(unsafe) var found = [Double](repeating: 0, count: count)
            nonisolated(unsafe) var failure: EngineError?
            Threads.run(chunks: count, work: .max) { k in
                do throws(EngineError) {
                    let likelihood = try network.likelihood(own.enumerated().filter { $0.offset != first + k }.map(\.element))
                    lock.withLock { found[k] = likelihood }
                } catch {
                    lock.withLock { failure = error }
                }
            }
            if let failure { throw failure }
            without += found
            return
        }
        let open = own.indices.filter { !required[v].contains(parents[v][$0]) }
        guard let least = open.max(by: { without[$0] < without[$1] }), likelihood - without[least] < price else { return next() }
        likelihood = without[least]
        parents[v].remove(at: least)
        without = []
    }

    private func next() {
        variablesDone += 1
        network = nil
        without = []
    }
}
