import CausalEngine
import CausalKernels
import Testing

/// Rows by their numbers: what is learned from them is what is learned from a copy of them.
@Suite struct SelectionTests {
    private let count = 70

    /// Rows of a product, in part under do() at an input, at hidden units and at the output; `numbers` of them, copied.
    private func copied<Scalar: EngineScalar>(_ numbers: [Int]) throws -> Dataset<Scalar> {
        var random = TestRandom(1)
        let all = (0..<count).map { _ in (0..<4).map { _ in Scalar(random.number()) } }
        let rows = numbers.map { all[$0] }
        let experiment = try Intervention<Scalar>()
            .setting(site: 0, mask: numbers.map { [false, $0 % 3 == 0, false] }, values: Matrix(rows.map { [0, $0[3], 0] }))
            .setting(site: 1, mask: [(0..<8).map { $0 < 2 }], values: Matrix(rows.map { row in (0..<8).map { _ in row[3] } }))
            .setting(site: 2, mask: numbers.map { [$0 % 5 == 0] }, values: [[0.25]])
        return try Dataset(x: Matrix(rows.map { Array($0[..<3]) }), y: Matrix(rows.map { [$0[0] - 2 * $0[1] * $0[2]] }), intervention: experiment)
    }

    private func learned<Scalar: EngineScalar>(_ training: Dataset<Scalar>, _ validation: Dataset<Scalar>?, _ options: TrainerOptions)
        throws -> (weights: [Scalar], losses: [[Double?]]) {
        let model = try Model<Scalar>(.mlp(inputs: 3, hidden: [8], outputs: 1), seed: 0)
        let trainer = try Trainer(model, on: training, validation: validation, options: options)
        try trainer.run()
        return (model.parameters!.values, trainer.history.map { [$0.loss, $0.validationLoss] })
    }

    private func expectTheSame<Scalar: EngineScalar>(_: Scalar.Type, batchSize: Int?) throws {
        var random = TestRandom(2)
        let resampled = (0..<count).map { _ in Int(random.number().magnitude * 1000) % count }
        let selections = [resampled, [5], Array((0..<count).reversed()), Array(0..<count), [3, 3, 60], resampled + resampled]
        let all: Dataset<Scalar> = try copied(Array(0..<count))
        for (mine, held) in zip(selections, selections.reversed()) {
            for validated in [false, true] {
                let options = TrainerOptions(epochs: 12, batchSize: batchSize, patience: 3, seed: 4)
                let here = try learned(try all.selecting(mine), validated ? try all.selecting(held) : nil, options)
                let there: (weights: [Scalar], losses: [[Double?]]) = try learned(try copied(mine), validated ? try copied(held) : nil, options)
                #expect(here.weights == there.weights && here.losses == there.losses)
            }
        }
    }

    @Test(arguments: [nil, 1, 7, 70, 1000]) func sameBitsAsACopy(_ batchSize: Int?) throws {
        try expectTheSame(Float.self, batchSize: batchSize)
        try expectTheSame(Double.self, batchSize: batchSize)
    }

    @Test func aSelectionOfASelection() throws {
        let all: Dataset<Float> = try copied(Array(0..<count))
        let some = try all.selecting([9, 8, 7, 9]).selecting([3, 1])
        let options = TrainerOptions(epochs: 2, batchSize: 1)
        #expect(try learned(some, nil, options).weights == learned(try copied([9, 8]), nil, options).weights)
        #expect { try all.selecting([9, 8]).selecting([2]) } throws: { "\($0)".contains("selection[0] is 2, expected the number of one of 2 rows") }
    }

    @Test func whatIsNotSelectedIsNotLookedAt() throws {
        let x = try Matrix<Float>((0..<6).map { [$0 == 4 ? .nan : Float($0), 1] }), y = try Matrix<Float>((0..<6).map { [$0 == 5 ? .infinity : 1] })
        let values = try Matrix<Float>((0..<6).map { [$0 == 3 ? .nan : 0, 0] })
        let data = try Dataset(x: x, y: y, intervention: Intervention().setting(site: 0, mask: (0..<6).map { [$0 == 3, false] }, values: values))
        func failure(_ numbers: [Int], validates: Bool = false) throws -> String? {
            do {
                let model = try Model<Float>(.mlp(inputs: 2, hidden: [], outputs: 1), seed: 0), good = try data.selecting([0, 1])
                let some = try data.selecting(numbers)
                try Trainer(model, on: validates ? good : some, validation: validates ? some : nil, options: TrainerOptions(epochs: 1)).run()
            } catch {
                return error.message
            }
            return nil
        }
        #expect(try failure([0, 1, 2, 1]) == nil)
        for (row, what) in [(4, "x is nan in row 4, column 0"), (5, "y is inf in row 5, column 0"), (3, "sets row 3, column 0 to nan")] {
            #expect(try failure([1, row])?.contains("training data") == true && failure([1, row])?.contains(what) == true)
            #expect(try failure([row], validates: true)?.contains("validation data") == true)
        }
        #expect(try failure([])?.contains("training data: no rows") == true)
        #expect(try failure([0, 6])?.contains("selection[1] is 6") == true && failure([-1])?.contains("selection[0] is -1") == true)
    }

    /// Rows that come batch by batch may be selected too.
    @Test func aBatch() throws {
        let all: Dataset<Double> = try copied(Array(0..<count))
        func learned(_ batches: [Dataset<Double>]) throws -> [Double] {
            let model = try Model<Double>(.mlp(inputs: 3, hidden: [8], outputs: 1), seed: 0)
            let stream = try Trainer(streaming: model, options: TrainerOptions(epochs: 1))
            for batch in batches { try stream.learn(batch) }
            try stream.endEpoch()
            return model.parameters!.values
        }
        let numbers = [[4, 2, 4], [69]]
        #expect(try learned(numbers.map { try all.selecting($0) }) == learned(numbers.map { try copied($0) }))
    }
}
