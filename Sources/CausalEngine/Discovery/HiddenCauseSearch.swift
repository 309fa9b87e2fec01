internal import Glibc

/// A pair of variables that a graph without hidden causes joins by an edge, and that data say to have one in common.
public struct HiddenCause: Hashable, Sendable {
    /// In ascending order.
    public let first: Int
    public let second: Int
    /// By how much the score would be better with it.
    public let evidence: Double
}

/// Which edges of a graph without hidden causes are rather the work of one. Only what leaves a mark is found: see the two tests.
struct HiddenCauseSearch {
    private let data: StructuralDataset
    private let penalty: Double
    /// Of rows in which nothing was set; nil where there are too few.
    private let covariances: Covariances?

    /// Of what a parent costs: chance alone gives less, nearly always.
    private static let leastEvidence = 0.5

    /// - Parameter covariances: of all rows.
    init(_ data: StructuralDataset, _ covariances: Covariances, penalty: Double) throws(EngineError) {
        self.data = data
        self.penalty = penalty
        let free = (0..<data.rows).filter { row in !(0..<data.columns).contains { data.isSet(row, $0) } }
        self.covariances = free.count <= data.columns ? nil : free.count == data.rows ? covariances : try Covariances(data.rows(free))
    }

    /// - Parameter number: of each variable of the graph, in the data.
    func hiddenCauses(in graph: Graph, number: [Int]) throws(EngineError) -> [HiddenCause] {
        let test = covariances.map { HiddenCauseTest($0, penalty: penalty) }, experiment = ExperimentTest(data: data, penalty: penalty)
        // What is less is chance, or rounding.
        let least = max(Self.leastEvidence * penalty / 2 * log(Double(max(data.rows, 2))), 1e-9 * Double(data.rows))
        var found: [HiddenCause] = []
        for effect in 0..<graph.count {
            let parents = try graph.parents(of: effect)
            for cause in parents {
                let caused = Set(try graph.descendants(of: cause)), others = parents.filter { $0 != cause }
                var evidence = 0.0
                if let test, !others.contains(where: caused.contains) {
                    evidence = test.evidence(number[cause], parents: try graph.parents(of: cause).map { number[$0] }, number[effect],
                                             parents: others.map { number[$0] })
                }
                if data.isSet != nil, let own = try experiment.evidence(number[cause], number[effect], parents: parents.map { number[$0] }) {
                    evidence = max(evidence, own)
                }
                if evidence > least {
                    found.append(HiddenCause(first: min(cause, effect), second: max(cause, effect), evidence: evidence))
                }
            }
        }
        return found.sorted { ($1.evidence, $0.first, $0.second) < ($0.evidence, $1.first, $1.second) }
    }
}
