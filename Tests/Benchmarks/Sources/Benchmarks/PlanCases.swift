import CausalEngine

/// Whole passes through compiled networks, with do() on a third of a site's units in every second row, and without.
enum PlanCases {
    static var all: [Case] { networks.flatMap(cases) }

    private static let networks = [
        Setting(inputs: 3, hidden: [16, 16], outputs: 1, rows: 32), Setting(inputs: 16, hidden: [64, 64], outputs: 1, rows: 256),
        Setting(inputs: 64, hidden: [256, 256, 256], outputs: 8, rows: 256),
    ]

    private struct Setting {
        let inputs: Int, hidden: [Int], outputs: Int, rows: Int

        var name: String { "\(inputs)-\(hidden)-\(outputs), \(rows)".replacing(" ") }
        var widths: [Int] { [inputs] + hidden + [outputs] }
        var products: [Int] { zip(widths, widths.dropFirst()).map { $0 * $1 } }

        func model() throws -> Model<Float> { try Model(.mlp(inputs: inputs, hidden: hidden, outputs: outputs), seed: 0) }

        func matrix(_ rows: Int, _ columns: Int) throws -> Matrix<Float> {
            try Matrix(rows: rows, columns: columns, Array(UnsafeBufferPointer(start: numbers(rows * columns), count: rows * columns)))
        }

        func intervention(site: Int, rows: Int) throws -> Intervention<Float> {
            try Intervention().setting(site: site, mask: thirdSet(rows: rows, columns: widths[site]), values: matrix(rows, widths[site]))
        }
    }

    private static func cases(_ setting: Setting) -> [Case] {
        let forward = 2 * setting.rows * setting.products.reduce(0, +)
        let both = 3 * forward - 2 * setting.rows * setting.products[0]
        let one = Case("predict one row, \(setting.name)", operations: forward / setting.rows) {
            let model = try setting.model(), x = try setting.matrix(1, setting.inputs)
            return { _ = try model.predict(x) }
        }
        return [one] + [("", nil), (", do at 0", 0), (", do at 1", 1)].flatMap { name, site in
            [
                Case("forward, \(setting.name)\(name)", operations: forward) {
                    let model = try setting.model(), x = try setting.matrix(setting.rows, setting.inputs), trace = try model.makeTrace()
                    let intervention = try site.map { try setting.intervention(site: $0, rows: setting.rows) }
                    return { _ = try model.forward(x, under: intervention, trace: trace) }
                },
                Case("forward and backward, \(setting.name)\(name)", operations: both) {
                    let model = try setting.model(), x = try setting.matrix(setting.rows, setting.inputs), trace = try model.makeTrace()
                    let dy = try setting.matrix(setting.rows, setting.outputs)
                    let intervention = try site.map { try setting.intervention(site: $0, rows: setting.rows) }
                    return {
                        _ = try model.forward(x, under: intervention, trace: trace)
                        _ = try model.backward(dy, trace: trace)
                    }
                },
                Case("training step, \(setting.name)\(name)", operations: both) {
                    let rows = 4 * setting.rows
                    let intervention = try site.map { try setting.intervention(site: $0, rows: rows) }
                    let x = try setting.matrix(rows, setting.inputs), y = try setting.matrix(rows, setting.outputs)
                    let data = try Dataset(x: x, y: y, intervention: intervention)
                    let trainer = try Trainer(setting.model(), on: data, options: TrainerOptions(
                        optimizer: OptimizerOptions(learningRate: 1e-4), epochs: 1 << 40, batchSize: setting.rows, shuffles: false))
                    return { try trainer.run(seconds: 0) }      // at least one step, and no more
                },
            ]
        }
    }
}

extension String {
    /// Without a text.
    fileprivate func replacing(_ text: Character) -> String { filter { $0 != text } }
}
