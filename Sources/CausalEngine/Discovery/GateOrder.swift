/// The acyclic graph that gates say most of: edges in the order of their gates, each unless it would make a cycle, or one parent more than there may
/// be.
struct GateOrder {
    /// By variable, ascending.
    let parents: [[UInt16]]
    /// Causes before effects, those with fewer ancestors first.
    let order: [Int]

    /// A gate that is closed as often as it is open is no edge.
    private static let least = 0.5

    /// - Parameters:
    ///   - required: by variable, parents that it has in any case.
    ///   - mostParents: by variable.
    init(_ gates: Gates, required: [[UInt16]], mostParents: [Int]) {
        let count = gates.count, probabilities = gates.probabilities, words = VariableBits.words(for: count)
        var parents = required
        // By variable, as bits, its ancestors and itself.
        var ancestors = [UInt64](repeating: 0, count: count * words)
        func isAncestor(_ a: Int, of b: Int) -> Bool { ancestors[b * words + a >> 6] >> UInt64(a & 63) & 1 != 0 }
        func connect(_ cause: Int, _ effect: Int) {
            for v in 0..<count where isAncestor(effect, of: v) {
                for word in 0..<words { ancestors[v * words + word] |= ancestors[cause * words + word] }
            }
        }
        for v in 0..<count { ancestors[v * words + v >> 6] |= 1 << UInt64(v & 63) }
        for (effect, causes) in parents.enumerated() { for cause in causes { connect(Int(cause), effect) } }
        let open = probabilities.indices.filter { gates.kinds[$0] == .free && probabilities[$0] > Self.least }
        for place in open.sorted(by: { (probabilities[$0], $1) > (probabilities[$1], $0) }) {
            let cause = place / count, effect = place % count
            guard parents[effect].count < mostParents[effect], !isAncestor(effect, of: cause) else { continue }
            parents[effect].append(UInt16(cause))
            connect(cause, effect)
        }
        self.parents = parents.map { $0.sorted() }
        let ages = (0..<count).map { v in (0..<words).reduce(0) { $0 + ancestors[v * words + $1].nonzeroBitCount } }
        order = (0..<count).sorted { (ages[$0], $0) < (ages[$1], $1) }
    }
}
