@testable import CausalEngine
import Glibc
import Testing

/// Hidden causes that leave a mark, and graphs without any.
@Suite struct HiddenCauseTests {
    /// In a population two mechanisms with correlated noises lose nothing to the truth: what is left of their variances is the covariance of these noises.
    @Test(arguments: 0..<20) func likelihoodOfCorrelatedNoises(_ seed: UInt64) throws {
        var random = TestRandom(seed)
        // a, b and c, which are correlated; x of a and b, y of b and c, whose noises share something.
        let weights = (0..<6).map { _ in random.number() }, shared = random.number()
        // Each variable by the seven independent noises that make it.
        var makes = [[Double]](repeating: [Double](repeating: 0, count: 7), count: 5)
        makes[0][0] = 1
        makes[1][1] = 1
        makes[2][2] = 1
        for k in 0..<7 { makes[1][k] += weights[4] * makes[0][k] }
        for k in 0..<7 { makes[2][k] += weights[5] * makes[1][k] }
        for k in 0..<7 {
            makes[3][k] = weights[0] * makes[0][k] + weights[1] * makes[1][k]
            makes[4][k] = weights[2] * makes[1][k] + weights[3] * makes[2][k]
        }
        makes[3][3] += 1
        makes[4][4] += 1
        makes[3][5] += shared
        makes[4][5] += 1
        func covariance(_ i: Int, _ j: Int) -> Double { zip(makes[i], makes[j]).reduce(0) { $0 + $1.0 * $1.1 } }
        let deviations = (0..<5).map { covariance($0, $0).squareRoot() }
        var correlations = try Matrix<Double>(rows: 5, columns: 5, repeating: 0)
        for i in 0..<5 { for j in 0..<5 { correlations[i, j] = covariance(i, j) / (deviations[i] * deviations[j]) } }

        let rows = 1_000, half = Double(rows) / 2
        let covariances = try Covariances(correlations: correlations, rows: rows), test = HiddenCauseTest(covariances, penalty: 1e-9)
        let noises = (1 + shared * shared) * 2 - shared * shared, units = deviations[3] * deviations[3] * deviations[4] * deviations[4]
        // The graph without hidden causes: x of a and b, y of x, b and c.
        let score = GaussianScore(covariances, penalty: 1e-9), evaluation = Evaluation(count: 5)
        func alone(_ variable: Int, _ parents: [UInt16]) -> Double {
            parents.withUnsafeBufferPointer { score.evaluate(variable, parents: $0, into: evaluation) }
            return evaluation.score
        }
        let expected = -half * log(noises / units) - alone(3, [0, 1]) - alone(4, [1, 2, 3])
        #expect(abs(test.evidence(3, parents: [0, 1], 4, parents: [1, 2]) - expected) < 1e-4 * max(1, expected))
        // Which of the two is thought to be the cause makes no difference to the pair.
        #expect(abs(test.evidence(4, parents: [1, 2], 3, parents: [0, 1]) + alone(4, [1, 2]) + alone(3, [0, 1, 4])
                    - test.evidence(3, parents: [0, 1], 4, parents: [1, 2]) - alone(3, [0, 1]) - alone(4, [1, 2, 3])) < 1e-3 * max(1, expected))
    }

    /// a -> x <-> y <- b: without the hidden cause an edge more is needed, and that is what is saved. In a -> x -> y <- b nothing is.
    @Test func anEdgeIsSaved() throws {
        let hidden = try test([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 0, 1, 0, 1], [0, 1, 0, 1, 1]])
        #expect(abs(hidden.evidence(2, parents: [0], 3, parents: [0, 1]) - log(10_000)) < 1e-3)
        let direct = try test([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 1, 0]])
        #expect(direct.evidence(2, parents: [0], 3, parents: [1]) < -100)
    }

    /// - Parameter makes: each variable by independent noises.
    private func test(_ makes: [[Double]]) throws -> HiddenCauseTest {
        func covariance(_ i: Int, _ j: Int) -> Double { zip(makes[i], makes[j]).reduce(0) { $0 + $1.0 * $1.1 } }
        var correlations = try Matrix<Double>(rows: makes.count, columns: makes.count, repeating: 0)
        for i in makes.indices { for j in makes.indices { correlations[i, j] = covariance(i, j) / (covariance(i, i) * covariance(j, j)).squareRoot() } }
        return HiddenCauseTest(try Covariances(correlations: correlations, rows: 10_000), penalty: 2)
    }

    /// a -> x -> y <- b, and where `hidden` is not 0 x <- h -> y instead of the arrow between them. In the columns of `order`.
    private func discovery(hidden: Double, set: Double? = nil, order: [Int] = [0, 1, 2, 3], score: DiscoveryOptions.Score = .bic) throws -> Discovery {
        var random = TestRandom(5), values: [Double] = [], isSet: [Bool] = []
        for row in 0..<2_000 {
            let a = random.number(), b = random.number(), h = random.number(), wasSet = set != nil && row >= 1_000
            let x = wasSet ? set! * random.number() : a + hidden * h + random.number()
            let y = b + (hidden == 0 ? x : hidden * h) + random.number()
            values += order.map { [a, b, x, y][$0] }
            isSet += order.map { wasSet && $0 == 2 }
        }
        let names = ["a", "b", "x", "y"]
        var options = DiscoveryOptions()
        options.score = score
        let found = try Discovery(StructuralDataset(Matrix(rows: 2_000, columns: 4, values), isSet: set == nil ? nil : isSet),
                                  variables: order.map { Variable(names[$0]) }, options: options)
        try found.run()
        return found
    }

    @Test func foundWhereBothHaveCausesOfTheirOwn() throws {
        #expect(try discovery(hidden: 0).hiddenCauses().isEmpty)
        let found = try discovery(hidden: 1).hiddenCauses()
        #expect(found.map { [$0.first, $0.second] } == [[2, 3]])
        #expect(found[0].evidence > 3 && found[0].evidence < 8)
        let elsewhere = try discovery(hidden: 1, order: [3, 0, 2, 1]).hiddenCauses()
        #expect(elsewhere.map { [$0.first, $0.second] } == [[0, 2]])
        #expect(abs(elsewhere[0].evidence - found[0].evidence) < 1e-6)
    }

    @Test func foundWhereOneWasSet() throws {
        // With y of h and of x, no edge is saved; that y answers to x in another way where x was set tells.
        var random = TestRandom(6), values: [Double] = [], isSet: [Bool] = []
        for row in 0..<1_000 {
            let h = random.number(), wasSet = row % 2 == 0, x = wasSet ? 2 * random.number() : h + random.number()
            values += [x, x + 2 * h + random.number()]
            isSet += [wasSet, false]
        }
        let found = try Discovery(StructuralDataset(Matrix(rows: 1_000, columns: 2, values), isSet: isSet), variables: [Variable("x"), Variable("y")])
        try found.run()
        #expect(try found.hiddenCauses().map { [$0.first, $0.second] } == [[0, 1]])
        #expect(try found.hiddenCauses()[0].evidence > 50)
        #expect(try discovery(hidden: 0, set: 2).hiddenCauses().isEmpty)
    }

    @Test func onlyUnderTheScoreThatItRestsOn() throws {
        let found = try discovery(hidden: 0, score: .nonlinear)
        let error = #expect(throws: EngineError.self) { try found.hiddenCauses() }
        #expect(error?.kind == .state)
    }
}
