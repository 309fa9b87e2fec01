import CausalKernels
@testable import CausalEngine
import Testing

/// Rows that are counterfactuals of others: their loss, and that no batch parts them.
@Suite struct TwinTests {
    private let rows = 7
    /// Two of one row, one of a counterfactual, and one of a later row.
    private let factual = [-1, 0, 0, 1, 5, -1, -1]

    private func evaluate(_ law: NoiseLaw, _ heads: [Double], _ values: [Double], gradient: UnsafeMutablePointer<Double>? = nil) throws -> Double {
        let twins = try Twins(factual)
        return try heads.withUnsafeBufferPointer { heads in
            try values.withUnsafeBufferPointer { values in
                var arguments = LossArguments<Double>(prediction: MatrixView(heads.baseAddress!, rows: rows, columns: law.headWidth),
                                                      target: MatrixView(values.baseAddress!, rows: rows, columns: 1))
                arguments.twins = UnsafePointer(twins.factual.pointer)
                var targets = LossGradientTargets<Double>(), scratch: [Double] = []
                targets.prediction = gradient
                return try withExtendedLifetime(twins) { try Loss.twinPrediction(law).evaluate(arguments, into: targets, scratch: &scratch) }
            }
        }
    }

    /// Values in the middle, and some beyond the bounds of a spline.
    private func values(_ random: inout TestRandom) -> [Double] { (0..<rows).map { $0 == 3 ? 6.5 : 2 * random.number() } }

    @Test(arguments: [NoiseLaw.additive, .locationScale, .spline(pieces: 4)]) func gradientsAgreeWithDifferences(_ law: NoiseLaw) throws {
        var random = TestRandom(4)
        let values = values(&random), heads = (0..<rows * law.headWidth).map { _ in 0.8 * random.number() }
        var found = [Double](repeating: 7, count: heads.count)
        _ = try found.withUnsafeMutableBufferPointer { try evaluate(law, heads, values, gradient: $0.baseAddress) }
        for k in heads.indices {
            let slope = try centralDifference(at: heads[k], step: 1e-6) {
                var changed = heads
                changed[k] = $0
                return try evaluate(law, changed, values)
            }
            #expect(relativeError(found[k], slope) < 1e-6, "\(law) \(k): \(found[k]), differences \(slope)")
        }
        for k in heads.indices where k / law.headWidth == 6 { #expect(found[k] == 0) }       // in no pair
    }

    /// For additive noise it is the difference of noises; for all laws what `counterfactual` of a model would be wrong by.
    @Test func itIsTheErrorOfThePrediction() throws {
        var random = TestRandom(5)
        let values = values(&random)
        for law in [NoiseLaw.additive, .locationScale, .spline(pieces: 3)] {
            let width = law.headWidth, heads = (0..<rows * width).map { _ in 0.8 * random.number() }
            var wanted = 0.0
            for (row, other) in factual.enumerated() where other >= 0 {
                let own = Array(heads[row * width..<(row + 1) * width]), theirs = Array(heads[other * width..<(other + 1) * width])
                let error = law.generate(own, [law.abduct(theirs, values[other])]) - values[row]
                if law == .additive { #expect(abs(error + (values[row] - own[0]) - (values[other] - theirs[0])) < 1e-12) }
                wanted += error * error / 4
            }
            #expect(abs(try evaluate(law, heads, values) - wanted) < 1e-12)
        }
    }

    @Test func batchesPartNoTwins() throws {
        let count = 103
        var random = TestRandom(6), factual = [Int](repeating: -1, count: count)
        for row in 0..<count where row % 3 != 0 { factual[row] = row == 70 ? 100 : random.index(below: 10) == 0 ? 0 : row / 3 * 3 }
        let twins = try Twins(factual)
        let x = try Storage<Double>(count: count, of: "x"), y = try Storage<Double>(count: count, of: "y")
        for row in 0..<count { x.pointer[row] = Double(row) }
        let data = Dataset(owning: x, columns: 1, y, columns: 1, twins: twins), model = try Model<Double>(.mlp(inputs: 1, hidden: [], outputs: 1), seed: 0)
        let batches = try Batches(data, size: 10, shuffles: true, model.plan)
        var edits = [SiteEdit<Double>?](repeating: nil, count: 2), orders: [[Double]] = []
        for epoch in 0..<3 {
            if epoch > 0 { batches.shuffle(seed: 1, epoch: epoch) }
            var first = 0, order: [Double] = [], pairs = 0
            while first < count {
                let batch = batches.gather(from: first, edits: &edits)
                #expect(batch.x.rows >= min(10, count - first) && batch.x.rows <= batches.capacity)
                let own = (0..<batch.x.rows).map { batch.x.pointer[$0] }
                for (i, row) in own.enumerated() {
                    let partner = try #require(batch.twins)[i]
                    #expect(partner < 0 ? factual[Int(row)] == -1 : own[partner] == Double(factual[Int(row)]))
                    if partner >= 0 { pairs += 1 }
                }
                order += own
                first += batch.x.rows
            }
            #expect(order.sorted() == (0..<count).map(Double.init))
            #expect(pairs == factual.count { $0 >= 0 })
            orders.append(order)
        }
        #expect(orders[1] != orders[2])
    }

    /// Of copies each has its own partner, and a row without its factual row has none.
    @Test func someOfTheRows() throws {
        let twins = try Twins(factual)
        #expect(twins.unit == [0, 0, 0, 0, 4, 4, 6] && twins.unitCount == 3 && twins.largestUnit == 4)
        let some = try #require(try twins.among([4, 1, 5, 3, 4, 5, 3]))
        #expect(Array(some.factual.buffer) == [2, -1, -1, 1, 5, -1, -1])       // of the second 3 there is no second 1
        #expect(try twins.among([6, 0, 3]) == nil)
        var random = Random(seed: 1, purpose: .resampling, index: 0)
        let drawn = twins.resample(&random)
        #expect(Set(drawn.map { twins.unit[$0] }).allSatisfy { unit in
            let own = (0..<7).filter { twins.unit[$0] == unit }
            return Set(own.map { row in drawn.count { $0 == row } }).count == 1      // all of a unit are there equally often
        })
    }

    @Test func mistakesAreNamed() throws {
        for wrong in [[0, -1], [-1, 2], [-2, 0]] { #expect(throws: EngineError.self) { try Twins(wrong) } }
        let short = #expect(throws: EngineError.self) { try StructuralDataset(Example.data(rows: 3), twins: [nil, 0]) }
        #expect(short?.kind == .shape)
        let description = try StructuralDescription(Example.graph(), kinds: ["z": .categorical(levels: 2)], mechanisms: ["y": .linear, "m": .linear])
        var isSet = [Bool](repeating: false, count: 100)
        isSet[5] = true      // y and m in row 1, or their parents: nothing is left to learn from
        isSet[7] = true
        let data = try StructuralDataset(Example.data(rows: 20), isSet: isSet, twins: [nil, 0] + [Int?](repeating: nil, count: 18))
        let none = #expect(throws: EngineError.self) { try StructuralTrainer<Float>(description, on: data) }
        #expect(none?.message.contains("no two of them") == true)
        var options = StructuralTrainerOptions()
        options.counterfactual = 0
        options.epochs = 1
        #expect(try StructuralTrainer<Float>(description, on: data, options: options).run())
        options.counterfactual = -1
        #expect(throws: EngineError.self) { try StructuralTrainer<Float>(description, on: data, options: options) }
    }
}
