/// How to look for a graph.
public struct DiscoveryOptions: Sendable {
    public enum Score: Hashable, Sendable {
        /// The Bayesian information criterion of the mechanisms that fit the variables: linear Gaussian ones for real variables, tables for
        /// categorical ones, and regressions where kinds are mixed.
        case bic
        /// Of tables with a Dirichlet prior worth so many rows (Heckerman et al. 1995), for categorical variables.
        case bdeu(rows: Double)
        /// The Bayesian information criterion of smooth mechanisms with additive noise, for real variables. It tells directions apart where
        /// mechanisms are not linear.
        case nonlinear
        /// The likelihood of networks of real variables, learned together with gates on all edges: a graph is learned while the mechanisms are, and
        /// no search is made among graphs. What it finds is then compared by the score of `nonlinear`.
        case network

        /// Whether directions are told apart by mechanisms that are smooth, and noise that is added.
        var isSmooth: Bool { self == .nonlinear || self == .network }
    }

    public var score = Score.bic
    /// How much each parameter costs, times half of the logarithm of the number of rows. 1 is Schwarz's criterion; the default of 2 keeps edges
    /// away that are there by chance among the many that a search looks at.
    public var penalty = 2.0
    /// How often the search begins again near the best graph so far, in vain, before it ends; nil for 1,000. Of a network: how many are learned beside
    /// the first, nil for 5 of up to 20 variables, and fewer of more.
    public var restarts: Int?
    /// Samples drawn from the rows with replacement, for each of which a graph is looked for too.
    public var bootstrap = 0
    public var knowledge = Knowledge()
    /// By row, the number of the conditions under which it came about, where what these changed is not known: which mechanisms differ from those of
    /// the most rows is then looked for too. Empty: none.
    public var regimes: [Int] = []
    public var seed: UInt64 = 0

    public init() {}

    func restarts(variables: Int) -> Int { restarts ?? (score == .network ? 100 / max(variables, 20) : 1_000) }

    func validate() throws(EngineError) {
        func expect(_ isFine: Bool, _ what: String, _ expected: String) throws(EngineError) {
            guard isFine else { throw EngineError(.value, "discovery: \(what), expected \(expected)") }
        }
        try expect(penalty > 0 && penalty.isFinite, "a penalty of \(penalty)", "a number above 0")
        try expect((0...1_000_000).contains(restarts ?? 0), "\(restarts ?? 0) restarts", "0 to 1000000")
        try expect((0...100_000).contains(bootstrap), "\(bootstrap) bootstrap samples", "0 to 100000")
        try expect(regimes.isEmpty || score.isSmooth, "regimes under the score \(score)", "nonlinear or network, which tell causes from effects")
        if case .bdeu(let rows) = score { try expect(rows > 0 && rows.isFinite, "a prior worth \(rows) rows", "a number above 0") }
    }
}
