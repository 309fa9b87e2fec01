import CausalEngine
import CausalKernels
import Testing

/// Layers so large that their products are cut into tiles, against the same layers one row at a time, which are not.
@Suite struct LargeLayerTests {
    @Test(arguments: [(rows: 131, hidden: 300), (rows: 128, hidden: 256), (rows: 300, hidden: 523)], [Activation.relu, .tanh])
    func isTheSumOfItsRows(_ size: (rows: Int, hidden: Int), _ activation: Activation) throws {
        var random = TestRandom(1)
        let model = try Model<Double>(.mlp(inputs: 90, hidden: [size.hidden, size.hidden], outputs: 3, activation: activation), seed: 2)
        let x = try random.matrix(size.rows, 90), dy = try random.matrix(size.rows, 3)
        let values = try random.matrix(size.rows, size.hidden), mask = random.mask(size.rows, size.hidden)
        func row(_ matrix: Matrix<Double>, _ i: Int) throws -> Matrix<Double> {
            try Matrix(rows: 1, columns: matrix.columns, (0..<matrix.columns).map { matrix[i, $0] })
        }

        let trace = try model.makeTrace()
        let y = try model.forward(x, under: Intervention().setting(site: 1, mask: mask, values: values), trace: trace)
        let whole = try model.backward(dy, trace: trace)

        var sum = [Double](repeating: 0, count: whole.parameters.count)
        for i in 0..<size.rows {
            let single = try Intervention<Double>().setting(site: 1, mask: [mask[i]], values: row(values, i))
            let answer = try model.forward(row(x, i), under: single, trace: trace)
            for j in 0..<3 { #expect(abs(answer[0, j] - y[i, j]) < 1e-12) }
            let gradients = try model.backward(row(dy, i), trace: trace)
            for k in sum.indices { sum[k] += gradients.parameters[k] }
            for j in 0..<90 { #expect(abs(gradients.inputs[0, j] - whole.inputs[i, j]) < 1e-12) }
        }
        #expect(zip(sum, whole.parameters).allSatisfy { abs($0 - $1) < 1e-11 })
    }

    @Test func threadsChangeNoBit() throws {
        var random = TestRandom(3)
        let model = try Model<Double>(.mlp(inputs: 90, hidden: [300], outputs: 3), seed: 2)
        let x = try random.matrix(400, 90), dy = try random.matrix(400, 3)
        let before = Threads.count
        defer { try? Threads.set(before) }
        func pass(threads: Int) throws -> (Matrix<Double>, [Double]) {
            try Threads.set(threads)
            let trace = try model.makeTrace()
            return (try model.forward(x, trace: trace), try model.backward(dy, trace: trace).parameters)
        }
        let one = try pass(threads: 1)
        for threads in [2, 5] {
            let many = try pass(threads: threads)
            #expect(many.0 == one.0)
            #expect(many.1 == one.1)
        }
    }
}
