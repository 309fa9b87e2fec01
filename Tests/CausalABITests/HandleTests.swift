import CausalABI
import CCausal
import Glibc
import Testing

/// The message of the last failing call.
func lastError() -> String { String(cString: causal_last_error()) }

func makeModel(inputs: Int = 3, hidden: [Int] = [16, 16], outputs: Int = 1, dtype: causal_dtype = CAUSAL_FLOAT64) throws -> OpaquePointer {
    var model: OpaquePointer?
    let status = "relu".withCString { activation in
        hidden.withUnsafeBufferPointer { hidden in
            var options = causal_mlp_options(size: MemoryLayout<causal_mlp_options>.size, inputs: inputs, hidden: hidden.baseAddress,
                                             hidden_count: hidden.count, outputs: outputs, activation: activation, dtype: dtype, seed: 1,
                                             borrows_parameters: 0)
            return causal_model_create_mlp(&model, &options)
        }
    }
    try #require(status == CAUSAL_OK, "\(lastError())")
    return try #require(model)
}

@Suite struct HandleTests {
    @Test func staleAndForeignHandles() throws {
        let model = try makeModel()
        var count = 0
        #expect(causal_graph_variable_count(model, &count) == CAUSAL_ERROR_HANDLE)
        #expect(lastError() == "a model's handle was given, expected a graph's")
        #expect(causal_model_free(model) == CAUSAL_OK)
        #expect(causal_model_free(model) == CAUSAL_ERROR_HANDLE)
        #expect(lastError() == "the model's handle is stale: it was freed, or never given out")
        #expect(causal_model_parameter_count(model, &count) == CAUSAL_ERROR_HANDLE)
        // The slot is used again; the old handle still is not the new one.
        let next = try makeModel()
        #expect(causal_model_parameter_count(model, &count) == CAUSAL_ERROR_HANDLE)
        #expect(causal_model_free(next) == CAUSAL_OK)
        #expect(causal_model_free(nil) == CAUSAL_OK)
        #expect(causal_model_parameter_count(nil, &count) == CAUSAL_ERROR_NULL)
        for bits: UInt in [1, 0x7fff_0000_1234, UInt.max, 0xC3 << 56, 0xC3 << 56 | 0xFF_FFFF] {
            #expect(causal_model_parameter_count(OpaquePointer(bitPattern: bits), &count) == CAUSAL_ERROR_HANDLE)
        }
    }

    /// A training run has model and trainer to itself, and may be cancelled meanwhile.
    @Test func busyWhileTraining() throws {
        struct Context { var model: OpaquePointer, trainer: OpaquePointer?, statuses: [causal_status] = [] }
        let x = [Double](repeating: 0.5, count: 30), y = [Double](repeating: 1, count: 10)
        var context = Context(model: try makeModel(), trainer: nil)
        let callback: causal_epoch_callback = { pointer, _, _ in
            let context = pointer!.assumingMemoryBound(to: Context.self)
            var out = [0.0], input = [0.0, 0, 0], count = 0
            context.pointee.statuses = [
                causal_model_predict(context.pointee.model, nil, &input, CAUSAL_FLOAT64, 1, 3, nil, &out, CAUSAL_FLOAT64, 1, 1),
                causal_model_free(context.pointee.model),
                causal_trainer_history(context.pointee.trainer, 0, nil, 0, &count),
                causal_trainer_free(context.pointee.trainer),
                causal_trainer_cancel(context.pointee.trainer),
            ]
            return 0
        }
        try x.withUnsafeBufferPointer { x in
            try y.withUnsafeBufferPointer { y in
                try "adam".withCString { adam in
                    try "constant".withCString { constant in
                        var data = causal_dataset(size: MemoryLayout<causal_dataset>.size, dtype: CAUSAL_FLOAT64, x: x.baseAddress, y: y.baseAddress,
                                                  rows: 10, x_columns: 3, y_columns: 1, intervention: nil, selection: nil, selected: 0)
                        try withUnsafeMutablePointer(to: &context) { context in
                            let optimizer = causal_optimizer_options(size: MemoryLayout<causal_optimizer_options>.size, method: adam, learning_rate: 0.01,
                                                                     momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0, clip_norm: 0)
                            var options = causal_trainer_options(size: MemoryLayout<causal_trainer_options>.size, loss: nil, optimizer: optimizer,
                                                                 epochs: 1000, batch_size: 5, patience: 0, schedule: constant, step_epochs: 1,
                                                                 step_factor: 1, seed: 0, callback: callback, context: context, keeps_order: 0)
                            try #require(causal_trainer_create(&context.pointee.trainer, context.pointee.model, nil, &data, nil, &options) == CAUSAL_OK)
                            var state = CAUSAL_TRAINER_RUNNING
                            #expect(causal_trainer_run(context.pointee.trainer, .infinity, &state) == CAUSAL_OK)
                            #expect(state == CAUSAL_TRAINER_CANCELLED)
                            #expect(context.pointee.statuses == [CAUSAL_ERROR_BUSY, CAUSAL_ERROR_BUSY, CAUSAL_ERROR_BUSY, CAUSAL_ERROR_BUSY, CAUSAL_OK])
                            // The trainer keeps the model alive.
                            #expect(causal_model_free(context.pointee.model) == CAUSAL_OK)
                            #expect(causal_trainer_run(context.pointee.trainer, .infinity, &state) == CAUSAL_OK)
                            #expect(causal_trainer_free(context.pointee.trainer) == CAUSAL_OK)
                        }
                    }
                }
            }
        }
    }

    /// Many threads predict with one model at once, and each has its own message.
    @Test func manyThreads() async throws {
        let model = try makeModel(inputs: 8, hidden: [64, 64], outputs: 2)
        nonisolated(unsafe) let handle = model
        let x = (0..<8 * 700).map { Double($0 % 13) / 13 }
        @Sendable func predict() -> [Double] {
            var y = [Double](repeating: 0, count: 2 * 700)
            let status = causal_model_predict(handle, nil, x, CAUSAL_FLOAT64, 700, 8, nil, &y, CAUSAL_FLOAT64, 700, 2)
            return status == CAUSAL_OK ? y : []
        }
        let expected = predict()
        #expect(!expected.isEmpty)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<20 {
                        guard predict() == expected else { return false }
                        var width = 0
                        guard causal_model_site_width(handle, 100 + task, &width) == CAUSAL_ERROR_NAME,
                              lastError() == "site \(100 + task) does not exist, expected 0 to 3" else { return false }
                    }
                    return true
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        #expect(causal_model_free(model) == CAUSAL_OK)
    }

    /// A child of a process whose workers have run still computes, with workers of its own.
    @Test func forkedChild() throws {
        let model = try makeModel(inputs: 64, hidden: [256, 256], outputs: 2)
        let x = (0..<64 * 2000).map { Double($0 % 17) / 17 }
        func predict() -> [Double] {
            var y = [Double](repeating: 0, count: 2 * 2000)
            let status = causal_model_predict(model, nil, x, CAUSAL_FLOAT64, 2000, 64, nil, &y, CAUSAL_FLOAT64, 2000, 2)
            return status == CAUSAL_OK ? y : []
        }
        let expected = predict()
        let child = forkFunction()
        if child == 0 { _exit(predict() == expected && causal_model_free(model) == CAUSAL_OK ? 0 : 1) }
        var status: Int32 = -1
        #expect(waitpid(child, &status, 0) == child)
        #expect(status == 0)
        #expect(causal_model_free(model) == CAUSAL_OK)
    }

    /// fork, which Swift hides: the child here calls nothing but the engine.
    private var forkFunction: @convention(c) () -> pid_t {
        unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)
    }
}
