@testable import CausalEngine
import CausalKernels
import Testing

/// Which numbers of x may be missing: those that do() keeps the network from seeing.
@Suite struct ReachTests {
    /// Every operation: two branches that join, a graph, a cut, and columns nobody reads.
    private func everything(_ random: inout TestRandom) throws -> Network {
        var network = Network(inputs: 5)
        let x = network.site(from: network.input)
        let left = network.columns(1..<4, from: x)
        let isThere = random.mask(1, 9)[0]
        let h = network.site(from: network.activation(.gelu, from: network.linear("a", from: left, width: 3, edges: try Edges(outputs: 3, inputs: 3, isThere: isThere))))
        let b = network.bias("b", from: network.cut(from: network.linear("c", from: h, width: 3, hasBias: false)))
        let last = network.columns(4..<5, from: network.activation(.identity, from: x))
        network.output = network.site(from: network.concatenate([network.sum([h, b]), last]))
        return network
    }

    /// NaN in the place of an entry reaches the answer exactly where it should.
    @Test func agreesWithWhatTheNetworkDoes() throws {
        var random = TestRandom(5)
        for _ in 0..<200 {
            let dag = try Graph(adjacency: (0..<16).map { $0 % 4 > $0 / 4 && random.isTrue() ? 1 : 0 }, count: 4)
            let networks = try [everything(&random), .mlp(inputs: 4, hidden: [4], outputs: 4, activation: .tanh, graph: dag), .mlp(inputs: 3, hidden: [2, 2], outputs: 2),
                                .rewiring(inputs: 4, outputs: 4, graph: Graph(adjacency: random.mask(1, 16)[0].map { $0 ? 1 : 0 }, count: 4))]
            for network in networks {
                let model = try Model<Double>(network, seed: 1)
                var intervention = Intervention<Double>()
                for (site, width) in model.plan.siteWidths.enumerated() where random.isTrue() {
                    intervention = try intervention.setting(site: site, mask: (0..<width).map { _ in random.number() < 0.4 }, values: [Double](repeating: 0, count: width))
                }
                var masks = [UnsafePointer<UInt8>?](repeating: nil, count: model.plan.siteWidths.count)
                for edit in intervention.edits { masks[edit.site] = UnsafePointer(edit.mask.pointer) }
                let reach = model.plan.reach(under: masks)
                for column in 0..<network.inputWidth {
                    var x = [Double](repeating: 0, count: network.inputWidth)
                    x[column] = .nan
                    let isSeen = try model.predict(Matrix([x]), under: intervention).elements.contains { $0.isNaN }
                    #expect((reach[column] != 0) == isSeen)
                }
                withExtendedLifetime(intervention) {}
            }
        }
    }

    private func trainer(_ rows: Int, hole: (row: Int, column: Int), mask: [[Bool]]) throws -> Trainer<Float> {
        let model = try Model<Float>(.mlp(inputs: 64, hidden: [1024, 1024], outputs: 1), seed: 0)
        var x = try Matrix<Float>(rows: rows, columns: 64, repeating: 0)
        for row in 0..<rows { x[row, 0] = .nan }
        x[hole.row, hole.column] = .nan
        let intervention = try Intervention<Float>().setting(site: 0, mask: mask, values: [[Float](repeating: 0, count: 64)])
        return try Trainer(model, on: Dataset(x: x, y: Matrix(rows: rows, columns: 1, repeating: 0), intervention: intervention), options: TrainerOptions())
    }

    /// Whether a missing number matters is found from the masks: as many as there are cost next to nothing, in a network of any size.
    @Test func manyMissingNumbersAreCheapToCheck() throws {
        let rows = 20_000, first = (0..<64).map { $0 == 0 }, both = (0..<64).map { $0 < 2 }
        let time = try ContinuousClock().measure {
            _ = try trainer(rows, hole: (7, 0), mask: [first])
            _ = try trainer(rows, hole: (7, 1), mask: (0..<rows).map { $0 % 2 == 1 ? both : first })
        }
        #expect(time < .seconds(2))
        for mask in [[first], (0..<rows).map { $0 % 2 == 0 ? both : first }] {
            #expect(throws: EngineError(.value, "training data: x is nan in row 7, column 1, expected a finite number "
                + "(a missing one is fine only where an intervention covers it)")) { try trainer(rows, hole: (7, 1), mask: mask) }
        }
    }
}
