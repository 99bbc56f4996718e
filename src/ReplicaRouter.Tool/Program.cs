using ReplicaRouter.Tool.CommandLine;

return await ToolCommands.RunAsync(args, Console.Out, Console.Error);
